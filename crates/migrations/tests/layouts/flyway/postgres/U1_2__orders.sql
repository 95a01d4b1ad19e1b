DROP TABLE "order";
DROP FUNCTION add_to_order();
