/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/mime7.c - see mime7.h.
 *
 * Both passes walk through the same lines with the same code, so that the Nth
 * entity of the one is the Nth of the other; what the first decides of it is
 * acts[N].  `out` is NULL in the first pass. */
#include "smtp/mime7.h"

#include <assert.h>

/* ---- what was found ---- */

const char *
mime7_reason(enum mime7_verdict v)
{
	static const char *const reasons[] = {
		[MIME7_PLAIN] = "", [MIME7_CONVERT] = "",
		[MIME7_HEADER] = "8-bit characters in a header",
		[MIME7_SIGNED] = "8-bit content in a signed part",
		[MIME7_ENCODED] = "8-bit content in a part that is encoded",
		[MIME7_MESSAGE] =
		    "8-bit content in a part that may not be encoded",
		[MIME7_STRUCTURE] = "8-bit content in parts that are not to "
		    "be told apart",
	};

	return reasons[v];
}

static void
trouble(struct mime7 *m, enum mime7_verdict v)
{
	if (m->trouble == MIME7_PLAIN)
		m->trouble = v;
}

static size_t
count_eight(struct span s)
{
	size_t i, n = 0;

	for (i = 0; i < s.n; i++)
		n += (unsigned char)s.p[i] > 0x7f;
	return n;
}

static bool
in_signed(const struct mime7 *m)
{
	return m->depth > 0 && m->levels[m->depth - 1].in_signed;
}

static enum mime7_act
act(const struct mime7 *m)
{
	return m->converting && m->nentities <= MIME7_PARTS ?
	    (enum mime7_act)m->acts[m->nentities - 1] : MIME7_KEEP;
}

static void
decide(struct mime7 *m, enum mime7_act a)
{
	if (m->converting)
		return;
	if (m->nentities <= MIME7_PARTS)
		m->acts[m->nentities - 1] = (uint8_t)a;
	else
		trouble(m, MIME7_STRUCTURE);
}

static void
emit(const struct mime7 *m, struct span s, struct buf *out)
{
	if (m->converting)
		(void)buf_span(out, s);
}

static void
emit_line(const struct mime7 *m, struct span s, bool last, struct buf *out)
{
	emit(m, s, out);
	if (last)
		emit(m, SPAN_LIT("\r\n"), out);
}

/* ---- entities ---- */

static void
begin_entity(struct mime7 *m, bool is_message)
{
	m->nentities++;
	m->is_message = is_message;
	m->mode = MIME7_IN_HEADER;
	m->field = MIME7_NO_FIELD;
	m->has_version = m->has_type = m->has_encoding = false;
	m->type_too_long = false;
	m->ntype = m->nencoding = 0;
}

/* How a leaf with 8-bit bytes is to be encoded, if at all. */
static void
judge_leaf(struct mime7 *m)
{
	if (m->neight == 0) {
		/* A label that allows more than there is. */
		if (m->encoding == MIME_8BIT && !in_signed(m))
			decide(m, MIME7_LABEL);
		return;
	}
	m->eight_body = true;
	if (in_signed(m))
		trouble(m, MIME7_SIGNED);
	else if (m->type_too_long || m->type.class == MIME_MULTIPART)
		trouble(m, MIME7_STRUCTURE);
	else if (m->encoding == MIME_ENCODED)
		trouble(m, MIME7_ENCODED);
	else if (m->type.class == MIME_MESSAGE_OTHER)
		trouble(m, MIME7_MESSAGE);
	else	/* text stays readable, unless base64 is much shorter */
		decide(m, m->type.class == MIME_TEXT &&
		    m->neight * 4 <= m->nbytes ? MIME7_QP : MIME7_BASE64);
}

static void
end_leaf(struct mime7 *m, bool delimited, struct buf *out)
{
	if (m->mode != MIME7_IN_LEAF)
		return;
	if (!m->converting)
		judge_leaf(m);
	else if (act(m) >= MIME7_QP)
		transfer_end(&m->transfer, delimited, out);
	m->mode = MIME7_IN_JUNK;
}

static void
begin_leaf(struct mime7 *m)
{
	m->mode = MIME7_IN_LEAF;
	m->nbytes = m->neight = 0;
	transfer_begin(&m->transfer, act(m) == MIME7_QP ? TRANSFER_QP :
	    TRANSFER_BASE64);
}

static void
begin_multipart(struct mime7 *m)
{
	struct mime7_level *l = &m->levels[m->depth];

	l->in_signed = m->type.is_signed || in_signed(m);
	l->is_digest = m->type.is_digest;
	l->n = m->type.boundary_len;
	memcpy(l->boundary, m->type.boundary, l->n);
	m->depth++;
	m->mode = MIME7_IN_JUNK;
}

/* ---- headers ---- */

static bool
is_field(struct span line, const char *name, struct span *value)
{
	struct span rest = line, word = span_cut(&rest, ':');

	*value = rest;
	return word.n < line.n && span_ieq(span_trim(word), span_str(name));
}

/* Of two fields the first counts. */
static enum mime7_field
begin_field(struct mime7 *m, struct span line, struct span *value)
{
	if (is_field(line, "Content-Type", value) && !m->has_type) {
		m->has_type = true;
		return MIME7_TYPE;
	}
	if (is_field(line, "Content-Transfer-Encoding", value)) {
		if (m->has_encoding)
			*value = SPAN_NONE;
		m->has_encoding = true;
		return MIME7_ENCODING;
	}
	if (is_field(line, "MIME-Version", value))
		m->has_version = true;
	return MIME7_OTHER;
}

/* False when it does not fit. */
static bool
keep_value(struct span s, char *text, size_t size, size_t *n)
{
	bool fits = s.n <= size - *n;

	s = span_head(s, size - *n);
	memcpy(text + *n, s.p, s.n);
	*n += s.n;
	return fits;
}

static void
read_field(struct mime7 *m, struct span value)
{
	if (m->field == MIME7_TYPE)
		m->type_too_long |= !keep_value(value, m->type_text,
		    sizeof(m->type_text), &m->ntype);
	else if (m->field == MIME7_ENCODING)
		(void)keep_value(value, m->encoding_text,
		    sizeof(m->encoding_text), &m->nencoding);
}

static void
add_fields(const struct mime7 *m, struct buf *out)
{
	static const char *const words[] = {
		[MIME7_LABEL] = "7bit", [MIME7_QP] = "quoted-printable",
		[MIME7_BASE64] = "base64",
	};
	enum mime7_act a = act(m);

	if (a == MIME7_KEEP)
		return;
	if (m->is_message && a != MIME7_LABEL && !m->has_version)
		(void)buf_str(out, "MIME-Version: 1.0\r\n");
	/* RFC 1428 sec 3: nobody knows what was meant. */
	if (m->is_message && a != MIME7_LABEL && !m->has_type)
		(void)buf_str(out,
		    "Content-Type: text/plain; charset=unknown-8bit\r\n");
	(void)buf_printf(out, "Content-Transfer-Encoding: %s\r\n", words[a]);
}

/* `blank`: by an empty line, and not by a boundary. */
static void
end_header(struct mime7 *m, bool blank, struct buf *out)
{
	mime_type_parse(span_of(m->type_text, m->ntype), &m->type);
	if (!m->has_type && !m->is_message && m->depth > 0 &&
	    m->levels[m->depth - 1].is_digest)
		m->type.class = MIME_MESSAGE;	/* RFC 2046 sec 5.1.5 */
	m->encoding = mime_encoding_parse(span_of(m->encoding_text,
	    m->nencoding));
	if (m->converting)
		add_fields(m, out);
	if (blank)
		emit_line(m, SPAN_NONE, true, out);
	if (m->type_too_long || m->encoding == MIME_ENCODED ||
	    (m->type.class != MIME_MULTIPART &&
	    m->type.class != MIME_MESSAGE) ||
	    (m->type.class == MIME_MULTIPART && (m->type.boundary_len == 0 ||
	    m->depth == MIME7_DEPTH))) {
		begin_leaf(m);
		return;
	}
	if (m->encoding == MIME_8BIT && !in_signed(m))
		decide(m, MIME7_LABEL);
	if (m->type.class == MIME_MULTIPART)
		begin_multipart(m);
	else
		begin_entity(m, true);
}

static void
header_part(struct mime7 *m, struct span s, bool first, bool last,
    struct buf *out)
{
	struct span value = s;

	if (first && last && s.n == 0) {
		end_header(m, true, out);
		return;
	}
	if (count_eight(s) > 0) {
		m->eight_header = true;
		trouble(m, MIME7_HEADER);
	}
	if (first && (s.n == 0 || (s.p[0] != ' ' && s.p[0] != '\t')))
		m->field = begin_field(m, s, &value);
	read_field(m, value);
	/* The old label goes; add_fields() has the new one. */
	if (m->field != MIME7_ENCODING || act(m) == MIME7_KEEP)
		emit_line(m, s, last, out);
}

/* ---- bodies ---- */

static void
leaf_part(struct mime7 *m, struct span s, bool last, struct buf *out)
{
	if (act(m) < MIME7_QP) {
		m->nbytes += s.n;
		m->neight += count_eight(s);
		emit_line(m, s, last, out);
		return;
	}
	transfer_put(&m->transfer, s, out);
	if (last)
		transfer_newline(&m->transfer, out);
}

/* Preamble and epilogue, which nobody reads (RFC 2046 sec 5.1.1). */
static void
junk_part(struct mime7 *m, struct span s, bool last, struct buf *out)
{
	size_t i;

	if (count_eight(s) > 0) {
		m->eight_body = true;
		if (in_signed(m))
			trouble(m, MIME7_SIGNED);
	}
	if (!m->converting)
		return;
	for (i = 0; i < s.n; i++)
		(void)buf_char(out, (unsigned char)s.p[i] > 0x7f ? '?' : s.p[i]);
	if (last)
		(void)buf_str(out, "\r\n");
}

/* ---- boundaries ---- */

/* Is the line a delimiter of that multipart?  *close: its last one. */
static bool
delimits(const struct mime7_level *l, struct span line, bool *close)
{
	line = span_skip(line, 2);
	if (line.n < l->n || memcmp(line.p, l->boundary, l->n) != 0)
		return false;
	line = span_skip(line, l->n);
	*close = line.n >= 2 && line.p[0] == '-' && line.p[1] == '-';
	return span_trim(span_skip(line, *close ? 2 : 0)).n == 0;
}

static bool
take_delimiter(struct mime7 *m, struct span line, struct buf *out)
{
	bool close = false;
	unsigned at = m->depth;

	if (line.n < 3 || line.p[0] != '-' || line.p[1] != '-')
		return false;
	while (at > 0 && !delimits(&m->levels[at - 1], line, &close))
		at--;
	if (at == 0)
		return false;
	if (m->mode == MIME7_IN_HEADER)
		end_header(m, false, out);
	end_leaf(m, true, out);
	m->depth = close ? at - 1 : at;
	emit_line(m, line, true, out);
	if (close)
		m->mode = MIME7_IN_JUNK;
	else
		begin_entity(m, false);
	return true;
}

/* ---- lines ---- */

static void
line_part(struct mime7 *m, struct span s, bool first, bool last,
    struct buf *out)
{
	if (first && last && take_delimiter(m, s, out))
		return;
	switch (m->mode) {
	case MIME7_IN_HEADER:
		header_part(m, s, first, last, out);
		break;
	case MIME7_IN_LEAF:
		leaf_part(m, s, last, out);
		break;
	case MIME7_IN_JUNK:
		junk_part(m, s, last, out);
		break;
	}
}

static void
flush_line(struct mime7 *m, bool last, struct buf *out)
{
	struct span s = span_of(m->line, m->nline);
	bool first = !m->inside;

	m->nline = 0;
	m->inside = !last;
	line_part(m, s, first, last, out);
}

static void
take(struct mime7 *m, struct span in, struct buf *out)
{
	size_t i;

	for (i = 0; i < in.n; i++) {
		char c = in.p[i];
		bool was_cr = m->cr;

		m->cr = c == '\r';
		if (c == '\n' && was_cr)
			continue;
		if (c == '\r' || c == '\n') {
			flush_line(m, true, out);
			continue;
		}
		if (m->nline == sizeof(m->line))
			flush_line(m, false, out);
		m->line[m->nline++] = c;
	}
}

/* The end of the message. */
static void
finish(struct mime7 *m, struct buf *out)
{
	struct span rest = span_of(m->line, m->nline);

	if (rest.n > 0 && (m->inside || !take_delimiter(m, rest, out)))
		line_part(m, rest, !m->inside, false, out);
	if (m->mode == MIME7_IN_HEADER)
		end_header(m, false, out);
	end_leaf(m, false, out);
}

/* ---- the caller's ---- */

static void
restart(struct mime7 *m)
{
	m->nline = 0;
	m->inside = m->cr = false;
	m->depth = 0;
	m->nentities = 0;
	begin_entity(m, true);
}

void
mime7_begin(struct mime7 *m)
{
	m->converting = m->eight_header = m->eight_body = false;
	m->trouble = MIME7_PLAIN;
	memset(m->acts, MIME7_KEEP, sizeof(m->acts));
	restart(m);
}

void
mime7_scan(struct mime7 *m, struct span in)
{
	take(m, in, NULL);
}

enum mime7_verdict
mime7_verdict(struct mime7 *m)
{
	finish(m, NULL);
	if (!m->eight_header && !m->eight_body)
		return MIME7_PLAIN;
	return m->trouble != MIME7_PLAIN ? m->trouble : MIME7_CONVERT;
}

void
mime7_rewind(struct mime7 *m)
{
	assert(m->trouble == MIME7_PLAIN);
	m->converting = true;
	restart(m);
}

void
mime7_put(struct mime7 *m, struct span in, struct buf *out)
{
	take(m, in, out);
}

void
mime7_end(struct mime7 *m, struct buf *out)
{
	finish(m, out);
}
