UPDATE supplier SET rating = NULL;
