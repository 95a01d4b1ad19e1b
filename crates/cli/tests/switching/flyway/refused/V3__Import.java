class V3__Import {}
