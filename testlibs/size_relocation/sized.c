char object_of_77[77];
