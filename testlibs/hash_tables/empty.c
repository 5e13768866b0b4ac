/* no symbol at all: an empty hash table with one bloom word */
