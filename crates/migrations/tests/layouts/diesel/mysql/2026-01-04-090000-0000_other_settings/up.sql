UPDATE supplier SET rating = 5;
