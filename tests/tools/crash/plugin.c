/* plugin.c - opened and closed by cases.c */
int plugin_function(int n) { return n + 1; }
