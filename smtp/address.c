/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/address.c - see address.h. */
#include "smtp/address.h"

#include <stdio.h>

#include "base/idn.h"
#include "base/net.h"
#include "base/utf8.h"

#define LABEL_MAX	63	/* RFC 1035 sec 2.3.4 */
#define DOMAIN_TEXT_MAX	253	/* what 255 bytes on the wire can say */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_let_dig(char c)
{
	char l = ascii_lower(c);

	return is_digit(c) || (l >= 'a' && l <= 'z');
}

static bool
is_ascii(char c)
{
	return (unsigned char)c < 0x80;
}

/* RFC 5322 sec 3.2.3; beyond ASCII RFC 6531 sec 3.3 */
static bool
is_atext(char c)
{
	return is_let_dig(c) || !is_ascii(c) ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Bytes of the character that begins a span, 0 when it has no place in an
 * address.  The controls above ASCII have none in text that is exchanged (RFC
 * 5198 sec 2), and must not reach a terminal. */
static size_t
char_size(struct span s)
{
	uint32_t code = 0;
	size_t n = utf8_take(s, &code);

	return n > 1 && code < 0xa0 ? 0 : n;
}

static bool
is_text(struct span s)
{
	size_t n;

	for (; s.n > 0; s = span_skip(s, n))
		if ((n = char_size(s)) == 0)
			return false;
	return true;
}

/* ---- domains ---- */

static bool
label_valid(struct span l)
{
	if (l.n == 0 || l.n > LABEL_MAX || l.p[0] == '-' || l.p[l.n - 1] == '-')
		return false;
	for (size_t i = 0; i < l.n; i++)
		if (!is_let_dig(l.p[i]) && l.p[i] != '-')
			return false;
	return true;
}

static bool
label_numeric(struct span l)
{
	for (size_t i = 0; i < l.n; i++)
		if (!is_digit(l.p[i]))
			return false;
	return true;
}

bool
smtp_domain_valid(struct span d)
{
	struct span rest = d, label = d;

	if (d.n == 0 || d.n > DOMAIN_TEXT_MAX || d.p[d.n - 1] == '.')
		return false;
	while (rest.n > 0) {
		label = span_cut(&rest, '.');
		if (!label_valid(label))
			return false;
	}
	/* No top-level domain is a number; whoever looks 192.0.2.1 up as a
	 * name could be made to connect to it as an address. */
	return !label_numeric(label);
}

/* In A-labels and lower case; 0 when it is none. */
static size_t
domain_ascii(struct span d, char out[IDN_SIZE])
{
	size_t n = idn_to_ascii(d, out);

	return smtp_domain_valid(span_of(out, n)) ? n : 0;
}

size_t
smtp_literal(struct span s, char out[SMTP_LITERAL_SIZE])
{
	char ip[ADDR_TEXT_SIZE];
	bool tagged;
	struct addr a;
	struct span in;
	int n;

	if (s.n < 2 || s.p[0] != '[' || s.p[s.n - 1] != ']')
		return 0;
	in = span_of(s.p + 1, s.n - 2);
	tagged = span_istarts(in, SPAN_LIT("IPv6:"));
	if (tagged)
		in = span_skip(in, 5);
	/* The tag decides the family: [IPv6:192.0.2.1] is nothing. */
	if (!addr_parse_ip(in, &a) ||
	    tagged != (memchr(in.p, ':', in.n) != NULL))
		return 0;
	n = snprintf(out, SMTP_LITERAL_SIZE, a.family == 6 ? "[IPv6:%s]" :
	    "[%s]", addr_ip_text(&a, ip));
	return n < 0 || n >= SMTP_LITERAL_SIZE ? 0 : (size_t)n;
}

/* ---- local parts ---- */

/* Unquoted bytes of a local part, collected to be written in one spelling. */
struct local {
	char	mem[SMTP_LOCAL_MAX];
	size_t	n;
	bool	long_;
};

static void
local_add(struct local *l, char c)
{
	if (l->n == sizeof l->mem)
		l->long_ = true;
	else
		l->mem[l->n++] = c;
}

/* RFC 5321 sec 4.1.2: Dot-string.  Returns how much of `s` it is, 0: none. */
static size_t
take_dot_string(struct span s, struct local *l)
{
	size_t i;

	for (i = 0; i < s.n && (is_atext(s.p[i]) || s.p[i] == '.'); i++)
		local_add(l, s.p[i]);
	return i;
}

/* RFC 5321 sec 4.1.2: Quoted-string, printable only. */
static size_t
take_quoted_string(struct span s, struct local *l)
{
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '"')
			return i + 1;
		if (s.p[i] == '\\' && (++i == s.n || !is_ascii(s.p[i])))
			return 0;
		if (is_ascii(s.p[i]) && (s.p[i] < ' ' || s.p[i] > '~'))
			return 0;
		local_add(l, s.p[i]);
	}
	return 0;
}

static bool
dot_string_valid(struct span s)
{
	if (s.n == 0 || s.p[0] == '.' || s.p[s.n - 1] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_atext(s.p[i]) &&
		    (s.p[i] != '.' || s.p[i - 1] == '.'))
			return false;
	return true;
}

static bool
put(struct smtp_address *a, const char *p, size_t n)
{
	if (n > SMTP_MAILBOX_MAX - a->n)
		return false;
	memcpy(a->text + a->n, p, n);
	a->n += n;
	a->text[a->n] = '\0';
	return true;
}

/* "john"@x and john@x are one mailbox (RFC 5321 sec 4.1.2), so they must not
 * be two keys anywhere behind here. */
static bool
put_local(struct smtp_address *a, const struct local *l)
{
	bool ok;

	if (dot_string_valid(span_of(l->mem, l->n))) {
		ok = put(a, l->mem, l->n);
	} else {
		ok = put(a, "\"", 1);
		for (size_t i = 0; i < l->n && ok; i++) {
			if (l->mem[i] == '"' || l->mem[i] == '\\')
				ok = put(a, "\\", 1);
			ok = ok && put(a, &l->mem[i], 1);
		}
		ok = ok && put(a, "\"", 1);
	}
	a->local = a->n;
	return ok;
}

static enum smtp_address_error
take_local(struct span *in, struct smtp_address *out)
{
	struct local l = { .n = 0 };
	bool quoted = in->n > 0 && in->p[0] == '"';
	size_t n;

	n = quoted ? take_quoted_string(*in, &l) : take_dot_string(*in, &l);
	if (n == 0)
		return SMTP_ADDRESS_SYNTAX;
	if (l.long_)
		return SMTP_ADDRESS_LOCAL_LONG;
	if (!is_text(span_head(*in, n)))
		return SMTP_ADDRESS_UTF8;
	if (!quoted && !dot_string_valid(span_of(l.mem, l.n)))
		return SMTP_ADDRESS_SYNTAX;
	*in = span_skip(*in, n);
	return put_local(out, &l) ? SMTP_ADDRESS_OK : SMTP_ADDRESS_LONG;
}

/* ---- paths ---- */

/* The domain or literal that *in begins with, up to `>` or, in a source
 * route, `,` or `:`. */
static struct span
take_domain_text(struct span *in)
{
	size_t n = 0;

	if (in->n > 0 && in->p[0] == '[') {
		const char *end = memchr(in->p, ']', in->n);

		n = end == NULL ? in->n : (size_t)(end - in->p) + 1;
	} else {
		while (n < in->n && strchr(">,:", in->p[n]) == NULL)
			n++;
	}
	struct span d = span_head(*in, n);
	*in = span_skip(*in, n);
	return d;
}

static enum smtp_address_error
take_domain(struct span *in, struct smtp_address *out)
{
	char literal[SMTP_LITERAL_SIZE], name[IDN_SIZE];
	struct span d = take_domain_text(in);
	size_t n = smtp_literal(d, literal);

	if (n > 0)
		return put(out, literal, n) ? SMTP_ADDRESS_OK :
		    SMTP_ADDRESS_LONG;
	if (d.n > SMTP_DOMAIN_MAX)
		return SMTP_ADDRESS_LONG;
	if (!is_text(d))
		return SMTP_ADDRESS_UTF8;
	n = domain_ascii(d, name);
	if (n == 0)
		return SMTP_ADDRESS_DOMAIN;
	return put(out, name, n) ? SMTP_ADDRESS_OK : SMTP_ADDRESS_LONG;
}

/* RFC 5321 sec 4.1.2: A-d-l ":" is accepted and ignored (app C). */
static bool
skip_source_route(struct span *in)
{
	char literal[SMTP_LITERAL_SIZE], name[IDN_SIZE];

	while (in->n > 0 && in->p[0] == '@') {
		struct span d;
		char next;

		*in = span_skip(*in, 1);
		d = take_domain_text(in);
		if (domain_ascii(d, name) == 0 && smtp_literal(d, literal) == 0)
			return false;
		next = in->n > 0 ? in->p[0] : '\0';
		*in = span_skip(*in, 1);
		if (next == ':')
			return in->n == 0 || in->p[0] != '@';
		if (next != ',' || in->n == 0 || in->p[0] != '@')
			return false;
	}
	return true;
}

static enum smtp_address_error
take_mailbox(struct span *in, struct smtp_address *out)
{
	enum smtp_address_error e;

	if (!skip_source_route(in))
		return SMTP_ADDRESS_SYNTAX;
	e = take_local(in, out);
	if (e != SMTP_ADDRESS_OK)
		return e;
	if (in->n > 0 && in->p[0] == '>') {
		if (!span_ieq(span_of(out->text, out->n),
		    SPAN_LIT("postmaster")))
			return SMTP_ADDRESS_NO_DOMAIN;
		out->kind = SMTP_POSTMASTER;	/* RFC 5321 sec 4.5.1 */
		return SMTP_ADDRESS_OK;
	}
	if (in->n == 0 || in->p[0] != '@')
		return SMTP_ADDRESS_SYNTAX;
	*in = span_skip(*in, 1);
	out->kind = SMTP_MAILBOX;
	return put(out, "@", 1) ? take_domain(in, out) : SMTP_ADDRESS_LONG;
}

enum smtp_address_error
smtp_path_take(struct span *in, struct smtp_address *out)
{
	enum smtp_address_error e = SMTP_ADDRESS_OK;
	const char *path = in->p;

	*out = (struct smtp_address){ .kind = SMTP_NULL };
	if (in->n == 0 || in->p[0] != '<')
		return SMTP_ADDRESS_SYNTAX;
	*in = span_skip(*in, 1);
	if (in->n == 0)
		return SMTP_ADDRESS_SYNTAX;
	if (in->p[0] != '>')
		e = take_mailbox(in, out);
	if (e != SMTP_ADDRESS_OK)
		return e;
	if (in->n == 0 || in->p[0] != '>')
		return SMTP_ADDRESS_SYNTAX;
	*in = span_skip(*in, 1);
	out->utf8 = utf8_any(span_of(path, (size_t)(in->p - path)));
	return SMTP_ADDRESS_OK;
}

struct span
smtp_address_domain(const struct smtp_address *a)
{
	if (a->kind != SMTP_MAILBOX)
		return SPAN_NONE;
	return span_of(a->text + a->local + 1, a->n - a->local - 1);
}
