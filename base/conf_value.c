/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/conf_value.c - one value against its row: check, convert, store. */
#include "base/conf_impl.h"

#include <assert.h>
#include <ctype.h>

#define SMTP_PORT	25
#define DNS_PORT	53

struct setter {
	const struct conf_row	*row;
	const struct conf_value	*value;
	void			*base;
	struct conf_arena	*arena;
	struct conf_notes	*notes;
};

/* ---- complaints ---- */

static void
words_hint(struct span word, const char *words, char out[CONF_HINT_SIZE])
{
	struct span rest = span_str(words);
	unsigned best;

	conf_hint_start(out, &best);
	while (rest.n > 0)
		conf_hint_try(word, span_cut(&rest, '|'), &best, out);
}

static int
not_allowed(const struct setter *s, const struct conf_item *item,
    const char *hint)
{
	char allowed[200], shown[CONF_SHOW_SIZE];

	conf_row_allowed(s->row, allowed, sizeof allowed);
	if (item->kind == CONF_VAL_LIST)
		conf_error(s->notes, item->place,
		    "`%s` does not take a list; allowed: %s", s->row->key,
		    allowed);
	else
		conf_error(s->notes, item->place, "`%s` cannot be %s%s%s; "
		    "allowed: %s%s", s->row->key,
		    item->kind == CONF_VAL_STRING ? "\"" : "",
		    conf_show(item->text, shown),
		    item->kind == CONF_VAL_STRING ? "\"" : "", allowed, hint);
	return -1;
}

static int
wrong(const struct setter *s, const struct conf_item *item)
{
	return not_allowed(s, item, "");
}

static int
need_string(const struct setter *s, const struct conf_item *item)
{
	char allowed[200], shown[CONF_SHOW_SIZE];

	if (item->kind == CONF_VAL_STRING)
		return 0;
	if (item->kind == CONF_VAL_LIST)
		return wrong(s, item);
	conf_row_allowed(s->row, allowed, sizeof allowed);
	conf_error(s->notes, item->place, "`%s` takes text in double quotes: "
	    "\"%s\"; allowed: %s", s->row->key, conf_show(item->text, shown),
	    allowed);
	return -1;
}

static int
need_word(const struct setter *s, const struct conf_item *item)
{
	char shown[CONF_SHOW_SIZE];

	if (item->kind == CONF_VAL_WORD)
		return 0;
	if (item->kind == CONF_VAL_LIST || item->text.n == 0 ||
	    !isalnum((unsigned char)item->text.p[0]))
		return wrong(s, item);
	conf_error(s->notes, item->place, "`%s` is written without quotes: %s",
	    s->row->key, conf_show(item->text, shown));
	return -1;
}

static int
not_yet(const struct setter *s, const struct conf_item *item)
{
	char allowed[200], shown[CONF_SHOW_SIZE];

	conf_row_allowed(s->row, allowed, sizeof allowed);
	conf_error(s->notes, item->place,
	    "`%s = \"%s\"` is not supported in this version; allowed: %s",
	    s->row->key, conf_show(item->text, shown), allowed);
	return -1;
}

/* `later` lists words of coming versions, "x:" for all that begin so. */
static bool
is_later(const struct setter *s, struct span text)
{
	struct span rest = span_str(s->row->later);

	while (rest.n > 0) {
		struct span w = span_cut(&rest, '|');

		if (w.n > 0 && w.p[w.n - 1] == ':' ? span_istarts(text, w) :
		    span_eq(text, w))
			return true;
	}
	return false;
}

/* ---- store ---- */

static void *
member(const struct setter *s, size_t offset)
{
	return (char *)s->base + offset;
}

static int
store_number(const struct setter *s, uint64_t v)
{
	void *at = member(s, s->row->offset);
	uint16_t v16 = (uint16_t)v;
	uint32_t v32 = (uint32_t)v;

	if (s->row->size == 0)
		return 0;	/* checked, but nothing to keep */
	switch (s->row->size) {
	case 2:
		memcpy(at, &v16, 2);
		break;
	case 4:
		memcpy(at, &v32, 4);
		break;
	default:
		assert(s->row->size == 8);
		memcpy(at, &v, 8);
	}
	return 0;
}

static int
store_text(const struct setter *s, struct span text, size_t offset)
{
	char *copy = conf_arena_str(s->arena, text);

	if (copy == NULL)
		return -1;
	memcpy(member(s, offset), &copy, sizeof copy);
	return 0;
}

/* An array with room for all items; never NULL for success, so that an empty
 * list is told apart from none. */
static void *
store_list(const struct setter *s, size_t element)
{
	size_t n = s->value->nitems;
	void *v = conf_arena_get(s->arena, (n == 0 ? 1 : n) * element);

	if (v == NULL)
		return NULL;
	memcpy(member(s, s->row->offset), &v, sizeof v);
	memcpy(member(s, s->row->offset2), &n, sizeof n);
	return v;
}

/* ---- numbers ---- */

struct suffix {
	const char	*name;
	uint64_t	 factor;
};

static const struct suffix size_suffixes[] = {
	{ "", 1 }, { "K", 1u << 10 }, { "M", 1u << 20 }, { "G", 1u << 30 },
	{ "k", 1u << 10 }, { "m", 1u << 20 }, { "g", 1u << 30 }, { NULL, 0 }
};
static const struct suffix duration_suffixes[] = {
	{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
	{ "d", 86400000 }, { "w", 604800000 }, { NULL, 0 }
};
static const struct suffix no_suffixes[] = { { "", 1 }, { NULL, 0 } };

static bool
scaled(struct span text, const struct suffix *suffixes, uint64_t *out)
{
	unsigned long long v;
	size_t digits = 0;

	while (digits < text.n && isdigit((unsigned char)text.p[digits]))
		digits++;
	if (digits == 0 || !span_u64(span_head(text, digits), UINT64_MAX, &v))
		return false;
	if (v == 0 && digits == text.n) {
		*out = 0;	/* the same in every unit */
		return true;
	}
	for (; suffixes->name != NULL; suffixes++)
		if (span_eq(span_skip(text, digits), span_str(suffixes->name)))
			return !__builtin_mul_overflow(v, suffixes->factor,
			    out);
	return false;
}

static int
set_number(const struct setter *s)
{
	const struct suffix *suffixes =
	    s->row->type == CONF_SIZE ? size_suffixes :
	    s->row->type == CONF_DURATION ? duration_suffixes : no_suffixes;
	uint64_t v;

	if (need_word(s, &s->value->self) == -1)
		return -1;
	if (!scaled(s->value->self.text, suffixes, &v) || v < s->row->min ||
	    v > s->row->max)
		return wrong(s, &s->value->self);
	return store_number(s, v);
}

static int
set_bool(const struct setter *s)
{
	struct span text = s->value->self.text;
	bool v = span_eq(text, SPAN_LIT("true"));
	char hint[CONF_HINT_SIZE];

	if (need_word(s, &s->value->self) == -1)
		return -1;
	if (!v && !span_eq(text, SPAN_LIT("false"))) {
		words_hint(text, "true|false", hint);
		return not_allowed(s, &s->value->self, hint);
	}
	memcpy(member(s, s->row->offset), &v, sizeof v);
	return 0;
}

static int
set_word(const struct setter *s)
{
	struct span text = s->value->self.text, rest = span_str(s->row->words);
	char hint[CONF_HINT_SIZE];

	if (need_string(s, &s->value->self) == -1)
		return -1;
	for (unsigned i = 0; rest.n > 0; i++)
		if (span_eq(text, span_cut(&rest, '|')))
			return store_number(s, s->row->min + i);
	if (is_later(s, text))
		return not_yet(s, &s->value->self);
	words_hint(text, s->row->words, hint);
	return not_allowed(s, &s->value->self, hint);
}

/* ---- names ---- */

static int
set_host(const struct setter *s)
{
	struct addr ip;
	char name[256];
	size_t n;

	if (need_string(s, &s->value->self) == -1)
		return -1;
	if (s->row->type == CONF_HOST_OPT && s->value->self.text.n == 0)
		return store_text(s, SPAN_NONE, s->row->offset);
	n = conf_domain(s->value->self.text, false, name);
	if (n == 0 || addr_parse_ip(s->value->self.text, &ip))
		return wrong(s, &s->value->self);
	return store_text(s, span_of(name, n), s->row->offset);
}

/* A dot-atom (RFC 5322 sec 3.2.3): what needs quotes is no name to publish. */
static bool
local_ok(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '.' ? i == 0 || i + 1 == s.n || s.p[i - 1] == '.' :
		    !isalnum((unsigned char)c) && (c == '\0' ||
		    strchr("!#$%&'*+-/=?^_`{|}~", c) == NULL))
			return false;
	}
	return s.n > 0 && s.n <= 64;	/* RFC 5321 sec 4.5.3.1.1 */
}

static int
set_mailbox(const struct setter *s)
{
	struct span domain = s->value->self.text, local;
	char name[256], text[64 + 1 + 256];
	int n;

	if (need_string(s, &s->value->self) == -1)
		return -1;
	if (domain.n == 0)
		return store_text(s, SPAN_NONE, s->row->offset);
	local = span_cut(&domain, '@');
	if (!local_ok(local) || conf_domain(domain, false, name) == 0)
		return wrong(s, &s->value->self);
	n = snprintf(text, sizeof text, "%.*s@%s", SPAN_FMT(local), name);
	return store_text(s, span_of(text, (size_t)n), s->row->offset);
}

/* systemd.exec(5): a name has at most 255 bytes and no slash. */
static bool
is_credential(struct span text)
{
	const size_t prefix = strlen(CONF_CREDENTIAL);
	struct span name;

	if (text.n <= prefix || memcmp(text.p, CONF_CREDENTIAL, prefix) != 0)
		return false;
	name = span_skip(text, prefix);
	return name.n <= 255 && name.p[0] != '.' &&
	    memchr(name.p, '/', name.n) == NULL;
}

static int
set_path(const struct setter *s)
{
	struct span text = s->value->self.text;
	bool none = text.n == 0 && s->row->type == CONF_PATH_OPT;

	none = none || (s->row->type == CONF_FILE && is_credential(text));

	if (need_string(s, &s->value->self) == -1)
		return -1;
	if (text.n > s->row->max) {
		conf_error(s->notes, s->value->self.place,
		    "`%s` is longer than %u bytes", s->row->key,
		    (unsigned)s->row->max);
		return -1;
	}
	if (!none && (text.n == 0 || text.p[0] != '/'))
		return wrong(s, &s->value->self);
	return store_text(s, text, s->row->offset);
}

/* ---- addresses ---- */

static int
set_address(const struct setter *s)
{
	struct span text = s->value->self.text;
	struct addr a = { 0 };
	int rc = need_string(s, &s->value->self);

	if (rc == 0 && !addr_parse(text, SMTP_PORT, &a))
		rc = wrong(s, &s->value->self);
	/* A wrong one must not leave the default behind, which would then be
	 * found to be in somebody's way. */
	memcpy(member(s, s->row->offset), &a, sizeof a);
	return rc;
}

static int
need_list(const struct setter *s)
{
	char allowed[200];

	if (s->value->self.kind == CONF_VAL_LIST)
		return 0;
	conf_row_allowed(s->row, allowed, sizeof allowed);
	conf_error(s->notes, s->value->self.place,
	    "`%s` takes a list in [ ]; allowed: %s", s->row->key, allowed);
	return -1;
}

static int
set_prefixes(const struct setter *s)
{
	struct prefix *v;
	int rc = 0;

	if (need_list(s) == -1 || (v = store_list(s, sizeof *v)) == NULL)
		return -1;
	for (size_t i = 0; i < s->value->nitems; i++) {
		const struct conf_item *item = &s->value->items[i];

		if (need_string(s, item) == -1 ||
		    (!prefix_parse(item->text, &v[i]) && wrong(s, item)))
			rc = -1;
	}
	return rc;
}

static int
set_sources(const struct setter *s)
{
	struct addr *places[] = { member(s, s->row->offset),
	    member(s, s->row->offset2) };
	bool written = true;
	int rc = 0;

	if (need_list(s) == -1)
		return -1;
	memcpy(member(s, s->row->label), &written, sizeof written);
	for (size_t i = 0; i < s->value->nitems; i++) {
		const struct conf_item *item = &s->value->items[i];
		struct addr a, *at;

		if (need_string(s, item) == -1) {
			rc = -1;
			continue;
		}
		if (!addr_parse_ip(item->text, &a)) {
			rc = wrong(s, item);
			continue;
		}
		at = places[a.family == 6];
		if (at->family != 0)
			rc = not_allowed(s, item,
			    "; a second one of its family");
		*at = a;
	}
	return rc;
}

/* ADDRESS or ADDRESS@PORT, kept as ADDRESS@PORT. */
static int
server_text(struct span text, char out[ADDR_TEXT_SIZE])
{
	struct span port = text, ip = span_cut(&port, '@');
	unsigned long long n = DNS_PORT;
	char ip_text[ADDR_TEXT_SIZE];
	struct addr a;

	if (!addr_parse_ip(ip, &a))
		return -1;
	if (ip.n < text.n && (!span_u64(port, 65535, &n) || n == 0))
		return -1;
	return snprintf(out, ADDR_TEXT_SIZE, "%s@%llu",
	    addr_ip_text(&a, ip_text), n);
}

/* A list of no more than the row's `max`. */
static int
need_few(const struct setter *s)
{
	if (need_list(s) == -1)
		return -1;
	if (s->value->nitems <= s->row->max)
		return 0;
	conf_error(s->notes, s->value->self.place,
	    "`%s` takes %u items at most", s->row->key,
	    (unsigned)s->row->max);
	return -1;
}

static int
set_servers(const struct setter *s)
{
	char text[ADDR_TEXT_SIZE];
	const char **v;
	int rc = 0;

	if (need_few(s) == -1 || (v = store_list(s, sizeof *v)) == NULL)
		return -1;
	for (size_t i = 0; i < s->value->nitems; i++) {
		const struct conf_item *item = &s->value->items[i];

		if (need_string(s, item) == -1)
			rc = -1;
		else if (server_text(item->text, text) == -1)
			rc = wrong(s, item);
		else if ((v[i] = conf_arena_str(s->arena,
		    span_str(text))) == NULL)
			return -1;
	}
	return rc;
}

static int
set_names(const struct setter *s)
{
	const char **v;
	struct addr ip;
	char name[256];
	int rc = 0;

	if (need_few(s) == -1 || (v = store_list(s, sizeof *v)) == NULL)
		return -1;
	for (size_t i = 0; i < s->value->nitems; i++) {
		const struct conf_item *item = &s->value->items[i];
		size_t n = need_string(s, item) == -1 ? 0 :
		    conf_domain(item->text, false, name);

		if (n == 0 || addr_parse_ip(item->text, &ip))
			rc = item->kind == CONF_VAL_STRING ? wrong(s, item) :
			    -1;
		else if ((v[i] = conf_arena_str(s->arena,
		    span_of(name, n))) == NULL)
			return -1;
	}
	return rc;
}

/* ---- next hops ---- */

static int
parse_hop(const struct setter *s, bool via, struct conf_hop *h)
{
	const char *hint;
	char name[256];

	if (!conf_hop_parse(s->value->self.text, via, h, name, &hint))
		return not_allowed(s, &s->value->self, hint);
	h->host = conf_arena_str(s->arena, span_str(name));
	return h->host == NULL ? -1 : 0;
}

static int
set_hop(const struct setter *s)
{
	struct conf_hop h;

	if (need_string(s, &s->value->self) == -1)
		return -1;
	if (parse_hop(s, false, &h) == -1)
		return -1;
	memcpy(member(s, s->row->offset), &h, sizeof h);
	return 0;
}

static int
set_via(const struct setter *s)
{
	struct conf_hop h = { .kind = HOP_MX, .host = "" };
	bool has = s->value->self.text.n > 0;

	if (need_string(s, &s->value->self) == -1)
		return -1;
	if (has && parse_hop(s, true, &h) == -1)
		return -1;
	memcpy(member(s, s->row->offset), &h, sizeof h);
	memcpy(member(s, s->row->offset2), &has, sizeof has);
	return 0;
}

/* ---- recipients ---- */

static int
set_recipients(const struct setter *s)
{
	static const char file[] = "file:", words[] = "verify|any|file:";
	struct span text = s->value->self.text;
	char hint[CONF_HINT_SIZE];

	if (need_string(s, &s->value->self) == -1)
		return -1;
	if (span_eq(text, SPAN_LIT("verify")))
		return store_number(s, RECIPIENTS_VERIFY);
	if (span_eq(text, SPAN_LIT("any")))
		return store_number(s, RECIPIENTS_ANY);
	if (!span_istarts(text, span_str(file))) {
		words_hint(text, words, hint);
		return not_allowed(s, &s->value->self, hint);
	}
	text = span_skip(text, sizeof file - 1);
	if (text.n == 0 || text.p[0] != '/')
		return not_allowed(s, &s->value->self,
		    "; the path begins with /");
	if (store_text(s, text, s->row->offset2) == -1)
		return -1;
	return store_number(s, RECIPIENTS_FILE);
}

/* ---- which type is set how ---- */

static int	(*const setters[CONF_TYPES])(const struct setter *) = {
	[CONF_BOOL] = set_bool,
	[CONF_NUMBER] = set_number,
	[CONF_SIZE] = set_number,
	[CONF_DURATION] = set_number,
	[CONF_WORD] = set_word,
	[CONF_HOST] = set_host,
	[CONF_HOST_OPT] = set_host,
	[CONF_MAILBOX_OPT] = set_mailbox,
	[CONF_PATH] = set_path,
	[CONF_PATH_OPT] = set_path,
	[CONF_FILE] = set_path,
	[CONF_ADDRESS] = set_address,
	[CONF_PREFIXES] = set_prefixes,
	[CONF_HOP] = set_hop,
	[CONF_RECIPIENTS] = set_recipients,
	[CONF_VIA] = set_via,
	[CONF_SOURCES] = set_sources,
	[CONF_SERVERS] = set_servers,
	[CONF_NAMES] = set_names,
};

int
conf_value_set(const struct conf_row *row, const struct conf_value *v,
    void *base, struct conf_arena *arena, struct conf_notes *notes)
{
	struct setter s = { row, v, base, arena, notes };

	assert(setters[row->type] != NULL);
	return setters[row->type](&s);
}
