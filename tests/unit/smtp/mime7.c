/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/smtp/mime7.c - conversion to 7 bits: what comes out, what is left
 * alone, what is refused.  In every cutting.  (mime7_decode.py compares what
 * another MIME library reads in both.) */
#include "smtp/mime7.h"

#include <stdlib.h>

#include "tests/unit/suite.h"

#define TEXT8	"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
#define EIGHT	"Content-Transfer-Encoding: 8bit\r\n"
#define SEVEN	"Content-Transfer-Encoding: 7bit\r\n"
#define QP	"Content-Transfer-Encoding: quoted-printable\r\n"
#define B64	"Content-Transfer-Encoding: base64\r\n"
#define MIXED	"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"

static const struct row {
	const char	*name, *rfc, *in, *out;	/* NULL: not converted */
	enum mime7_verdict verdict;
} rows[] = {
	{ "nothing to do", "6152 3", TEXT8 EIGHT "\r\nplain\r\n", NULL,
	    MIME7_PLAIN },
	{ "text", "2045 6.7",
	  TEXT8 EIGHT "\r\nein gr\xc3\xbc\xc3\x9f""ender = Satz \r\nzwei\t\r\n",
	  TEXT8 QP "\r\nein gr=C3=BC=C3=9Fender =3D Satz=20\r\nzwei=09\r\n",
	  MIME7_CONVERT },
	{ "the label stands where it stood, at the end", "2045 6.1",
	  EIGHT TEXT8 "X: y\r\n\r\n\xff is rare in this text\r\n",
	  TEXT8 "X: y\r\n" QP "\r\n=FF is rare in this text\r\n", MIME7_CONVERT },
	{ "folded and twice", "2045 6.1",
	  "Content-Transfer-Encoding:\r\n (well)\r\n 8BIT\r\n" TEXT8 EIGHT
	  "\r\n\xff is rare in this text\r\n",
	  TEXT8 QP "\r\n=FF is rare in this text\r\n", MIME7_CONVERT },
	{ "no MIME at all", "1428 3",
	  "Subject: x\r\n\r\ncaf\xe9 au lait\r\n",
	  "Subject: x\r\nMIME-Version: 1.0\r\n"
	  "Content-Type: text/plain; charset=unknown-8bit\r\n" QP
	  "\r\ncaf=E9 au lait\r\n", MIME7_CONVERT },
	{ "labelled 7bit, and is not", "2045 6.2",
	  TEXT8 SEVEN "\r\ncaf\xe9 au lait\r\n", TEXT8 QP "\r\ncaf=E9 au lait\r\n",
	  MIME7_CONVERT },
	{ "no text", "2045 6.8",
	  "MIME-Version: 1.0\r\nContent-Type: application/x\r\n"
	  "Content-Transfer-Encoding: binary\r\n\r\n\xff\r\nabc\r\n",
	  "MIME-Version: 1.0\r\nContent-Type: application/x\r\n" B64
	  "\r\n/w0KYWJjDQo=\r\n", MIME7_CONVERT },
	{ "text that is not ASCII for the most part", "2045 6.8",
	  TEXT8 EIGHT "\r\n\xd0\x94\xd0\xb0.\r\n", TEXT8 B64 "\r\n0JTQsC4NCg==\r\n",
	  MIME7_CONVERT },
	{ "no line end at the end", "2045 6.7",
	  TEXT8 EIGHT "\r\n\xff""12345678 ", TEXT8 QP "\r\n=FF12345678=20",
	  MIME7_CONVERT },
	{ "bare CR and LF are line ends", "5321 2.3.8",
	  TEXT8 "\r\nabcdefgh\xff\nx\ry\r\r\nz",
	  TEXT8 QP "\r\nabcdefgh=FF\r\nx\r\ny\r\n\r\nz", MIME7_CONVERT },
	{ "parts, the last line end is the boundary's", "2046 5.1.1",
	  MIXED EIGHT "\r\npre\xff\r\n--b\r\n" EIGHT "\r\nabcdefg\xff\r\n--b\r\n"
	  "Content-Type: image/x\r\n\r\n\xff\r\n\r\n--b\r\n\r\nplain\r\n"
	  "--b--  \r\nepi\xff\r\n",
	  MIXED SEVEN "\r\npre?\r\n--b\r\n" QP "\r\nabcdefg=FF\r\n--b\r\n"
	  "Content-Type: image/x\r\n" B64 "\r\n/w0K\r\n--b\r\n\r\nplain\r\n"
	  "--b--  \r\nepi?\r\n", MIME7_CONVERT },
	{ "inside each other; an outer boundary ends the inner one too",
	    "2046 5.1.2",
	  MIXED "\r\n--b\r\nContent-Type: multipart/alternative; "
	  "boundary=\"b b\"\r\n" EIGHT "\r\n--b b\r\n\r\nabcdefg\xff\r\n--b\r\n"
	  EIGHT "\r\nok\r\n--b--\r\n",
	  MIXED "\r\n--b\r\nContent-Type: multipart/alternative; "
	  "boundary=\"b b\"\r\n" SEVEN "\r\n--b b\r\n" QP "\r\nabcdefg=FF\r\n--b\r\n"
	  SEVEN "\r\nok\r\n--b--\r\n", MIME7_CONVERT },
	{ "a boundary within a header", "2046 5.1.1",
	  MIXED "\r\n--b\r\nContent-Type: text/html\r\n--b\r\n\r\nabcdefg\xff\r\n--b--",
	  MIXED "\r\n--b\r\nContent-Type: text/html\r\n--b\r\n" QP
	  "\r\nabcdefg=FF\r\n--b--\r\n", MIME7_CONVERT },
	{ "no boundary lines, only what looks like them", "2046 5.1.1",
	  MIXED "\r\n--b\r\n\r\n--bb\r\n --b\r\n--b x\r\n--\r\nabcdefg\xff\r\n--b-- x\r\n",
	  MIXED "\r\n--b\r\n" QP "\r\n--bb\r\n --b\r\n--b x\r\n--\r\nabcdefg=FF\r\n"
	  "--b-- x\r\n", MIME7_CONVERT },
	{ "the message inside", "2046 5.2.1",
	  "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n" EIGHT
	  "\r\nSubject: in\r\n\r\nabcdefg\xff\r\n",
	  "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n" SEVEN
	  "\r\nSubject: in\r\nMIME-Version: 1.0\r\n"
	  "Content-Type: text/plain; charset=unknown-8bit\r\n" QP
	  "\r\nabcdefg=FF\r\n", MIME7_CONVERT },
	{ "a digest", "2046 5.1.5",
	  "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n" TEXT8
	  "\r\nabcdefg\xff\r\n--b--\r\n",
	  "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n" TEXT8 QP
	  "\r\nabcdefg=FF\r\n--b--\r\n", MIME7_CONVERT },
	{ "message/global may be encoded", "6532 3.7",
	  "Content-Type: message/global\r\n\r\nSubject: \xc3\xa9\r\n\r\nx\r\n",
	  "Content-Type: message/global\r\nMIME-Version: 1.0\r\n" B64
	  "\r\nU3ViamVjdDogw6kNCg0KeA0K\r\n", MIME7_CONVERT },
	{ "7-bit parts inside multipart/signed stay, labels too", "1847 2.1",
	  MIXED "\r\n--b\r\nContent-Type: multipart/signed; boundary=s\r\n" EIGHT
	  "\r\n--s\r\n" EIGHT "\r\nsigned\r\n--s--\r\n--b\r\n\r\nabcdefg\xff\r\n--b--\r\n",
	  MIXED "\r\n--b\r\nContent-Type: multipart/signed; boundary=s\r\n" SEVEN
	  "\r\n--s\r\n" EIGHT "\r\nsigned\r\n--s--\r\n--b\r\n" QP
	  "\r\nabcdefg=FF\r\n--b--\r\n", MIME7_CONVERT },

	/* refused */
	{ "8-bit header", "6532 3.2", "Subject: \xc3\xa9\r\n\r\nx\r\n", NULL,
	  MIME7_HEADER },
	{ "8-bit header, folded", "6532 3.2",
	    "Subject: x\r\n \xc3\xa9\r\n\r\nx\r\n", NULL,
	  MIME7_HEADER },
	{ "8-bit header of a part", "6532 3.2",
	    MIXED "\r\n--b\r\nX: \xff\r\n\r\n--b--\r\n",
	  NULL, MIME7_HEADER },
	{ "8-bit header of a message inside", "6532 3.7",
	  "Content-Type: message/rfc822\r\n\r\nX: \xff\r\n\r\nx\r\n", NULL,
	  MIME7_HEADER },
	{ "no header at all", "5322 2.2", "\xff\r\n", NULL, MIME7_HEADER },
	{ "signed", "1847 2.1",
	  "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n\xff\r\n"
	  "--b--\r\n", NULL, MIME7_SIGNED },
	{ "deep inside what is signed", "1847 2.1",
	  "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n"
	  "Content-Type: message/rfc822\r\n\r\n" MIXED "\r\n--b\r\n\r\n\xff", NULL,
	  MIME7_SIGNED },
	{ "the preamble of what is signed", "1847 2.1",
	  "Content-Type: Multipart/Signed; boundary=b\r\n\r\n\xff\r\n", NULL,
	  MIME7_SIGNED },
	{ "encoded already, and wrongly", "2045 6.7",
	  TEXT8 QP "\r\n\xff=\r\n", NULL, MIME7_ENCODED },
	{ "an encoding that we do not know", "2045 6.4",
	  TEXT8 "Content-Transfer-Encoding: x-uue\r\n\r\n\xff\r\n", NULL,
	  MIME7_ENCODED },
	{ "an encoded message", "2045 6.4",
	  "Content-Type: message/rfc822\r\n" B64 "\r\n\xff\r\n", NULL,
	  MIME7_ENCODED },
	{ "a piece of a message", "2046 5.2.2",
	  "Content-Type: message/partial; id=x\r\n\r\n\xff\r\n", NULL,
	  MIME7_MESSAGE },
	{ "no boundary", "2046 5.1.1",
	    "Content-Type: multipart/mixed\r\n\r\n\xff\r\n", NULL,
	  MIME7_STRUCTURE },
	{ "an encoded multipart", "2045 6.4",
	  MIXED B64 "\r\n--b\r\n\r\n\xff\r\n", NULL, MIME7_STRUCTURE },
};

static void
scan(struct mime7 *m, struct span in, size_t step)
{
	mime7_begin(m);
	for (; in.n > 0; in = span_skip(in, step))
		mime7_scan(m, span_head(in, step));
}

static void
convert(struct mime7 *m, struct span in, size_t step, struct buf *out)
{
	buf_reset(out);
	mime7_rewind(m);
	for (; in.n > 0; in = span_skip(in, step))
		mime7_put(m, span_head(in, step), out);
	mime7_end(m, out);
	ck_assert(!out->failed);
}

START_TEST(mime7_rows)
{
	const struct row *r = &rows[_i];
	struct span in = span_str(r->in);
	struct mime7 *m = malloc(sizeof(*m));
	struct buf out;
	size_t step;

	buf_init(&out, 65536);
	for (step = 1; step <= in.n; step++) {
		scan(m, in, step);
		ck_assert_msg(mime7_verdict(m) == r->verdict,
		    "%s (RFC %s)", r->name, r->rfc);
		ck_assert((r->verdict > MIME7_CONVERT) ==
		    (mime7_reason(r->verdict)[0] != '\0'));
		if (r->verdict != MIME7_CONVERT)
			continue;
		convert(m, in, step, &out);
		ck_assert_msg(span_eq(buf_get(&out), span_str(r->out)),
		    "%s (RFC %s): got\n%s\nwant\n%s", r->name, r->rfc,
		    buf_cstr(&out), r->out);
	}
	buf_free(&out);
	free(m);
}
END_TEST

/* RFC 2045 sec 6.7 rule 5, RFC 5321 sec 4.5.3.1.6: whatever the lines were. */
START_TEST(mime7_long_lines)
{
	static const char *const heads[] = { TEXT8 "\r\n",
	    "Content-Type: image/x\r\n\r\n" };
	struct mime7 *m = malloc(sizeof(*m));
	struct buf in, out;

	buf_init(&in, 65536);
	buf_init(&out, MIME7_OUT_MAX(65536));
	for (int i = 0; i < 2; i++) {
		struct span rest;

		buf_reset(&in);
		(void)buf_str(&in, heads[i]);
		for (int k = 0; k < 5000; k++)
			(void)buf_char(&in, "a- .=bcdefgh\xff-"[k % 15]);
		scan(m, buf_get(&in), 1000);
		ck_assert_int_eq(mime7_verdict(m), MIME7_CONVERT);
		convert(m, buf_get(&in), 1000, &out);
		for (rest = buf_get(&out); rest.n > 0;) {
			struct span line = span_cut(&rest, '\n');

			ck_assert_uint_le(line.n, 77);		/* with the CR */
			/* nothing new may look like a boundary */
			ck_assert(line.n == 0 || line.p[0] != '-');
		}
	}
	buf_free(&in);
	buf_free(&out);
	free(m);
}
END_TEST

/* Deeper, more or longer than the bounds: refused, if there is 8-bit content. */
START_TEST(mime7_bounds)
{
	struct mime7 *m = malloc(sizeof(*m));
	struct buf in;

	buf_init(&in, 1024 * 1024);
	for (int i = 0; i <= MIME7_DEPTH; i++)
		(void)buf_printf(&in, "Content-Type: multipart/mixed; "
		    "boundary=b%d\r\n\r\n--b%d\r\n", i, i);
	scan(m, buf_get(&in), 100);
	ck_assert_int_eq(mime7_verdict(m), MIME7_PLAIN);
	(void)buf_str(&in, "\xff\r\n");
	scan(m, buf_get(&in), 100);
	ck_assert_int_eq(mime7_verdict(m), MIME7_STRUCTURE);

	buf_reset(&in);
	(void)buf_str(&in, MIXED "\r\n");
	for (int i = 0; i < MIME7_PARTS; i++)
		(void)buf_str(&in, "--b\r\n\r\nx\r\n");
	scan(m, buf_get(&in), 100);
	ck_assert_int_eq(mime7_verdict(m), MIME7_PLAIN);
	(void)buf_str(&in, "--b\r\n\r\n\xff\r\n");
	scan(m, buf_get(&in), 100);
	ck_assert_int_eq(mime7_verdict(m), MIME7_STRUCTURE);

	buf_reset(&in);
	(void)buf_str(&in, "Content-Type: text/plain; x=");
	for (int i = 0; i < MIME7_FIELD; i++)
		(void)buf_char(&in, 'x');
	(void)buf_str(&in, "\r\n\r\n\xff\r\n");
	scan(m, buf_get(&in), 100);
	ck_assert_int_eq(mime7_verdict(m), MIME7_STRUCTURE);
	buf_free(&in);
	free(m);
}
END_TEST

static const struct {
	const char	*value, *rfc, *boundary;
	enum mime_class	 class;
} types[] = {
	{ "text/plain", "2045 5.1", "", MIME_TEXT },
	{ "", "2045 5.2", "", MIME_TEXT },
	{ "nonsense", "2045 5.2", "", MIME_TEXT },
	{ "multipart", "2045 5.2", "", MIME_TEXT },
	{ " (a (b) \\)) Image / (x) PNG ; a=b", "2045 5.1", "", MIME_OTHER },
	{ "multipart/mixed;boundary=abc", "2046 5.1.1", "abc", MIME_MULTIPART },
	{ "multipart/mixed; x=\"a;boundary=no\"; Boundary = \"a b\\\"c \" ; y",
	    "2045 5.1",
	  "a b\"c", MIME_MULTIPART },
	{ "multipart/mixed; boundary=a; boundary=b", "2045 5.1", "a",
	    MIME_MULTIPART },
	{ "multipart/mixed; boundary=----=_a:b/c?(x)", "2046 5.1.1",
	    "----=_a:b/c?",
	  MIME_MULTIPART },
	{ "multipart/mixed; boundary=\"a\r\n b\"", "5322 2.2.3", "a b",
	    MIME_MULTIPART },
	{ "multipart/mixed; boundary=", "2046 5.1.1", "", MIME_MULTIPART },
	{ "multipart/mixed; boundary=\"never ends", "2045 5.1", "never ends",
	  MIME_MULTIPART },
	{ "message/RFC822", "2046 5.2.1", "", MIME_MESSAGE },
	{ "message/global-headers", "6532 3.5", "", MIME_OTHER },
	{ "message/delivery-status", "2045 6.4", "", MIME_MESSAGE_OTHER },
};

START_TEST(mime7_types)
{
	struct mime_type t;

	mime_type_parse(span_str(types[_i].value), &t);
	ck_assert_int_eq(t.class, types[_i].class);
	ck_assert_msg(span_eq(span_of(t.boundary, t.boundary_len),
	    span_str(types[_i].boundary)), "RFC %s: %s: \"%.*s\"",
	    types[_i].rfc, types[_i].value, (int)t.boundary_len, t.boundary);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("smtp mime7");
	TCase *tc = tcase_create("mime7");

	tcase_add_loop_test(tc, mime7_rows, 0, NELEM(rows));
	tcase_add_loop_test(tc, mime7_types, 0, NELEM(types));
	tcase_add_test(tc, mime7_long_lines);
	tcase_add_test(tc, mime7_bounds);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
