DROP INDEX book_title ON book;
