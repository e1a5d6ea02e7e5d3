/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/transfer.c - see transfer.h. */
#include "smtp/transfer.h"

#define LINE_MAX_QP	76
#define LINE_MAX_64	76

void
transfer_begin(struct transfer *t, enum transfer_kind kind)
{
	*t = (struct transfer){ .kind = kind };
}

/* ---- quoted-printable ---- */

static void
qp_unit(struct transfer *t, const char *p, unsigned n, struct buf *out)
{
	/* One is left for the "=" of a soft line end. */
	if (t->column + n >= LINE_MAX_QP) {
		(void)buf_add(out, "=\r\n", 3);
		t->column = 0;
	}
	(void)buf_add(out, p, n);
	t->column += n;
}

static void
qp_escape(struct transfer *t, unsigned char c, struct buf *out)
{
	static const char hex[] = "0123456789ABCDEF";
	const char unit[3] = { '=', hex[c >> 4], hex[c & 15] };

	qp_unit(t, unit, 3, out);
}

static void
qp_space(struct transfer *t, struct buf *out)
{
	if (t->space != '\0')
		qp_unit(t, &t->space, 1, out);
	t->space = '\0';
}

static void
qp_byte(struct transfer *t, char c, struct buf *out)
{
	unsigned char u = (unsigned char)c;

	qp_space(t, out);
	if (c == ' ' || c == '\t') {
		t->space = c;
		return;
	}
	/* Where a soft line end comes before it, a "-" could begin what looks
	 * like a boundary. */
	if (u < 0x21 || u > 0x7e || c == '=' ||
	    (c == '-' && t->column + 1 >= LINE_MAX_QP))
		qp_escape(t, u, out);
	else
		qp_unit(t, &c, 1, out);
}

/* RFC 2045 sec 6.7 rule 3: no white space at the end of a line. */
static void
qp_line_end(struct transfer *t, struct buf *out)
{
	if (t->space != '\0')
		qp_escape(t, (unsigned char)t->space, out);
	t->space = '\0';
}

/* ---- base64 ---- */

static void
base64_group(struct transfer *t, struct buf *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t v = (uint32_t)t->rest[0] << 16 | (uint32_t)t->rest[1] << 8 |
	    t->rest[2];
	const char group[4] = { digits[v >> 18], digits[v >> 12 & 63],
	    t->nrest > 1 ? digits[v >> 6 & 63] : '=',
	    t->nrest > 2 ? digits[v & 63] : '=' };

	(void)buf_add(out, group, 4);
	memset(t->rest, 0, sizeof(t->rest));
	t->nrest = 0;
	t->column += 4;
	if (t->column == LINE_MAX_64) {
		(void)buf_add(out, "\r\n", 2);
		t->column = 0;
	}
}

static void
base64_put(struct transfer *t, struct span s, struct buf *out)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		t->rest[t->nrest++] = (uint8_t)s.p[i];
		if (t->nrest == 3)
			base64_group(t, out);
	}
}

static void
base64_newline(struct transfer *t, struct buf *out)
{
	if (t->newline)
		base64_put(t, SPAN_LIT("\r\n"), out);
	t->newline = false;
}

/* ---- both ---- */

void
transfer_put(struct transfer *t, struct span s, struct buf *out)
{
	size_t i;

	if (s.n == 0)
		return;
	if (t->kind == TRANSFER_BASE64) {
		base64_newline(t, out);
		base64_put(t, s, out);
		return;
	}
	for (i = 0; i < s.n; i++)
		qp_byte(t, s.p[i], out);
}

void
transfer_newline(struct transfer *t, struct buf *out)
{
	if (t->kind == TRANSFER_BASE64) {
		base64_newline(t, out);
		t->newline = true;
		return;
	}
	qp_line_end(t, out);
	(void)buf_add(out, "\r\n", 2);
	t->column = 0;
}

void
transfer_end(struct transfer *t, bool delimited, struct buf *out)
{
	if (t->kind == TRANSFER_QP) {
		qp_line_end(t, out);
		return;
	}
	if (!delimited)
		base64_newline(t, out);
	if (t->nrest > 0)
		base64_group(t, out);
	if (t->column > 0)
		(void)buf_add(out, "\r\n", 2);
	t->column = 0;
}
