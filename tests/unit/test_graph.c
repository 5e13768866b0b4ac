/* graph.c: which objects are reached and in which order they are initialised.
 *
 * A graph is one line: "a:bc b:d c:d" (a needs b and c). "a>f" makes f a filtee of a; "x!y" is a binding of x to y that is no need.
 * Results are one line too: closures in search order, orders with dependents before what they need (constructors run backwards). */
#include "elfgen.h"

static struct object object[26], *needed[26][26], *filtee[26][26], *bound[26][26];
static u32 count;

static struct object *named(char c)
{
    if ((u32)(c - 'a') >= count)
        count = (u32)(c - 'a') + 1;
    return &object[c - 'a'];
}

static void read_graph(const char *text)
{
    memset(object, 0, sizeof object);
    count = 0;
    for (u32 i = 0; i < 26; i++) {
        object[i].needed = needed[i];
        object[i].filtee = filtee[i];
        object[i].bound_to = bound[i];
    }
    struct object *from = NULL;
    char kind = ' ';
    for (const char *at = text; *at; at++) {
        if (*at == ' ' || *at == ':' || *at == '>' || *at == '!')
            kind = *at;
        else if (kind == ' ')
            from = named(*at);
        else if (kind == ':')
            from->needed[from->needed_count++] = named(*at);
        else if (kind == '>')
            from->filtee[from->filtee_count++] = named(*at);
        else
            from->bound_to[from->bound_count++] = named(*at);
    }
}

static const char *line(struct object *const *list, u32 n)
{
    static char text[64];
    for (u32 i = 0; i < n; i++)
        text[i] = (char)('a' + (list[i] - object));
    text[n] = 0;
    return text;
}

static const struct row {
    const char *name, *graph, *closure, *order;
} rows[] = {
    { "alone", "a", "a", "a" },
    { "chain", "a:b b:c", "abc", "abc" },
    { "closure_is_breadth_first", "a:bc b:d c:e", "abcde", NULL },
    { "diamond_runs_the_shared_one_first", "a:bc b:d c:d", "abcd", "abcd" },
    { "a_need_of_a_need_is_written_after_it", "a:bc c:b", "abc", "acb" },
    { "a_later_need_is_moved_behind_who_needs_it", "a:bcd d:b", "abcd", "acdb" },
    { "cycle_of_two_is_cut_where_met", "a:b b:c c:b", "abc", "acb" },
    { "cycle_through_the_root_is_cut_there", "a:b b:c c:a", "abc", "abc" },
    { "need_of_itself_is_no_cycle", "a:b b:b", "ab", "ab" },
    { "the_same_need_twice_counts_once", "a:bb b:c", "abc", "abc" },
    { "filtee_stands_before_its_filter", "a:b b>c", "acb", NULL },
    { "needs_of_a_filtee_are_reached", "a:b b>c c:d", "acbd", NULL },
    { "a_filtee_of_a_filtee_is_reached", "a:b b>c c>d d:e", "adcbe", NULL },
    { "two_filtees_stand_in_order", "a:b b>cd", "acdb", NULL },
    { "a_filtee_found_already_stays", "a:cb b>c", "acb", NULL },
};
static struct object *scratch[26 * 4];

static void closure_and_order_are(void **state)
{
    const struct row *row = *state;
    struct object *list[26];
    read_graph(row->graph);
    u32 n = graph_closure(&object[0], NULL, 0, list);
    assert_string_equal(line(list, n), row->closure);
    for (u32 i = 0; i < 26; i++)
        assert_false(object[i].visited);
    if (!row->order)
        return;
    graph_sort(list, n, true, false, scratch);
    assert_string_equal(line(list, n), row->order);
    for (u32 i = 0; i < 26; i++)
        assert_false(object[i].visited);
}

static void preloads_follow_the_program(void **state)
{
    (void)state;
    struct object *list[26];
    read_graph("a:b b:c p:q c q");
    struct object *extra[] = { named('p') };
    u32 n = graph_closure(&object[0], extra, 1, list);
    assert_string_equal(line(list, n), "apbqc");
}

static void bindings_count_for_destructors(void **state)
{
    (void)state;
    struct object *list[] = { NULL, NULL, NULL };
    read_graph("a b c b!c");
    list[0] = named('a'), list[1] = named('c'), list[2] = named('b');
    graph_sort(list, 3, false, true, scratch);
    assert_true(strchr(line(list, 3), 'b') < strchr(line(list, 3), 'c'));
}

static void needs_outweigh_bindings(void **state)
{
    (void)state;
    struct object *list[] = { NULL, NULL };
    read_graph("b:c c!b");
    list[0] = named('c'), list[1] = named('b');
    graph_sort(list, 2, false, true, scratch);
    assert_string_equal(line(list, 2), "bc");
}

/* The same by recursion, as the system's linker writes it. */
static struct object **head;
static void visit(struct object *o, const struct object *root)
{
    if (o->mark == 77)
        return;
    o->mark = 77;
    for (u32 i = 0; o != root && i < o->needed_count; i++)
        visit(o->needed[i], root);
    *--head = o;
}

static void order_is_that_of_the_recursion(void **state)
{
    (void)state;
    u32 x = 7;
    for (u32 run = 0; run < 5000; run++) {
        read_graph("a");
        count = 2 + run % 12;
        for (u32 i = 0; i < count; i++)
            for (u32 k = 0; k < 3; k++) {
                x = x * 1664525 + 1013904223;
                if (x >> 31)
                    object[i].needed[object[i].needed_count++] = &object[(x >> 10) % count];
            }
        struct object *list[26], *expected[26];
        u32 n = graph_closure(&object[0], NULL, 0, list);
        head = expected + n;
        for (u32 i = n; i-- > 0;)
            visit(list[i], &object[0]);
        assert_ptr_equal(head, expected);
        /* the root first, whatever the walk says */
        u32 at = 0;
        while (expected[at] != &object[0])
            at++;
        memmove(expected + 1, expected, at * sizeof *expected);
        expected[0] = &object[0];
        graph_sort(list, n, true, false, scratch);
        assert_memory_equal(list, expected, n * sizeof *list);
        for (u32 i = 0; i < count; i++)
            object[i].mark = 0;
    }
}

static void a_chain_as_long_as_a_file_likes_needs_no_stack(void **state)
{
    (void)state;
    u32 n = 200000;
    struct object *all = calloc(n, sizeof *all), **list = calloc(n, sizeof *list), **room = calloc(n, 4 * sizeof *room), **edge = calloc(n, sizeof *edge);
    for (u32 i = 0; i < n; i++) {
        list[i] = &all[i];
        edge[i] = &all[i + 1 < n ? i + 1 : 0];
        all[i].needed = &edge[i];
        all[i].needed_count = 1;
    }
    graph_sort(list, n, true, false, room);
    for (u32 i = 0; i < n; i++)
        assert_ptr_equal(list[i], &all[i]);
    free(all), free(list), free(room), free(edge);
}

/* graph_load: names of needs come from dynamic tables of one letter each; new objects are appended by the loader. */
static struct object loaded[26];
static struct { Elf64_Dyn dyn[8]; char strings[64]; } tables[26];
static char asked[128];
static const char *needs_of[26];
static struct object *last_loaded;

static void table_of(struct object *o, char letter, const char *needs)
{
    __typeof__(tables[0]) *t = &tables[letter - 'a'];
    u32 n = 0;
    i64 tag = DT_NEEDED;
    for (const char *at = needs; *at; at++) {
        if (*at == '>' || *at == '?') {
            tag = *at == '>' ? DT_FILTER : DT_AUXILIARY;
            continue;
        }
        t->strings[2 * n] = *at;
        t->dyn[n] = (Elf64_Dyn){ tag, { 2 * n } };
        if (*at == '!')
            t->dyn[n].d_un.d_val = 64;    /* a name outside the strings */
        *(tag == DT_NEEDED ? &o->image.needed_count : &o->image.filter_count) += 1;
        n++;
    }
    o->image.dyn = t->dyn;
    o->image.dyn_count = n;
    o->image.strtab = t->strings;
    o->image.strtab_len = 64;
    o->state = OBJECT_MAPPED;
}

static struct object *load_letter(struct graph_loader *loader, const char *name, struct object *wanted_by, i64 tag)
{
    (void)loader;
    snprintf(asked + strlen(asked), sizeof asked - strlen(asked), "%s%c%s", *asked ? " " : "", (char)('a' + (wanted_by - loaded)), name);
    assert_true(tag == DT_NEEDED || tag == DT_FILTER || tag == DT_AUXILIARY);
    if (*name < 'a' || *name > 'z')
        return NULL;                  /* a capital: not found */
    struct object *o = &loaded[*name - 'a'];
    if (o->state == OBJECT_OPENED) {
        o->arena = wanted_by->arena;
        table_of(o, *name, needs_of[*name - 'a'] ? needs_of[*name - 'a'] : "");
        o->prev = last_loaded;
        last_loaded = last_loaded->next = o;
    }
    return o;
}

static const struct {
    const char *name, *needs;         /* "a=bc b=d>e": a needs b and c; b needs d and filters e; ?x: auxiliary */
    const char *asked;                /* who asked for whom, in order */
    int code;
} loads[] = {
    { "loading_is_breadth_first", "a=bc b=d c=e", "ab ac bd ce", 0 },
    { "filtees_come_after_needs", "a=b>c b=d", "ab ac bd", 0 },
    { "auxiliary_filtees_come_last", "a=b?c>d b=e", "ab ad ac be", 0 },
    { "a_missing_need_ends_it", "a=Xb", "aX", LDR_E_OPEN },
    { "a_missing_filtee_ends_it", "a=>Xb", "aX", LDR_E_OPEN },
    { "a_missing_auxiliary_filtee_does_not", "a=?X b", "aX", 0 },
    { "a_cycle_is_asked_but_not_walked_again", "a=b b=ab", "ab ba bb", 0 },
    { "a_name_outside_the_strings_ends_it", "a=b! b=c", "ab", LDR_E_STRING },
};
static void loading_asks(void **state)
{
    const __typeof__(loads[0]) *row = *state;
    struct arena arena;
    test_arena(&arena);
    memset(loaded, 0, sizeof loaded);
    memset(tables, 0, sizeof tables);
    memset(needs_of, 0, sizeof needs_of);
    static char text[64];
    snprintf(text, sizeof text, "%s", row->needs);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        needs_of[word[0] - 'a'] = word[1] == '=' ? word + 2 : "";
    *asked = 0;
    loaded[0].arena = &arena;
    table_of(&loaded[0], 'a', needs_of[0]);
    last_loaded = &loaded[0];
    struct graph_loader loader = { load_letter, &test_report };
    assert_int_equal(graph_load(&loaded[0], &loader), -row->code);
    assert_string_equal(asked, row->asked);
    for (u32 i = 0; !row->code && i < loaded[0].needed_count; i++)
        assert_ptr_equal(loaded[0].needed[i], &loaded[(u32)(needs_of[0][i] - 'a')]);
    for (struct object *o = loaded; !row->code && o; o = o->next)
        assert_int_equal(o->state, OBJECT_LINKED);
    test_arena_free(&arena);
}

int main(void)
{
    ROWS(loads, loading_asks);
    ROWS(rows, closure_and_order_are);
    TEST(preloads_follow_the_program);
    TEST(bindings_count_for_destructors);
    TEST(needs_outweigh_bindings);
    TEST(order_is_that_of_the_recursion);
    TEST(a_chain_as_long_as_a_file_likes_needs_no_stack);
    return tests_run("graph");
}
