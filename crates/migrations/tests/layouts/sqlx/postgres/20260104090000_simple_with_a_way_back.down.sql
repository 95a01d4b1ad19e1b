UPDATE purchase SET total = total - 1
