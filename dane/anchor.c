/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* dane/anchor.c - see anchor.h.  The shape is RFC 5280 sec 4.1. */
#include "dane/anchor.h"

#include <stdint.h>

#define DER_SEQUENCE	0x30
#define DER_EXTENSIONS	0xa3	/* [3] EXPLICIT */

#define BYTES(...)	span_of((const uint8_t[]){ __VA_ARGS__ },	\
	sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void
put_head(struct buf *b, uint8_t tag, size_t n)
{
	(void)buf_char(b, (char)tag);
	if (n >= 0x80) {
		(void)buf_char(b, (char)0x82);
		(void)buf_char(b, (char)(n >> 8));
	}
	(void)buf_char(b, (char)(n & 0xff));
}

/* [0] version 3, serial 1 */
#define VERSION_SERIAL	BYTES(0xa0, 3, 2, 1, 2, 2, 1, 1)
/* ecdsa-with-SHA256 */
#define ALGORITHM	BYTES(0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d,	\
	4, 3, 2)
/* basicConstraints, critical: CA:TRUE */
#define CONSTRAINTS	BYTES(0x30, 17, 0x30, 15, 6, 3, 0x55, 0x1d, 0x13,	\
	1, 1, 0xff, 4, 5, 0x30, 3, 1, 1, 0xff)
#define SIGNATURE	BYTES(3, 9, 0, 0x30, 6, 2, 1, 1, 2, 1, 1)

/* From 1970 to the end of time (sec 4.1.2.5). */
#define VALIDITY	SPAN_LIT("\x30\x20\x17\x0d" "700101000000Z"	\
	"\x18\x0f" "99991231235959Z")

static void
put_tbs(struct buf *b, struct span subject, struct span spki)
{
	(void)buf_span(b, VERSION_SERIAL);
	(void)buf_span(b, ALGORITHM);
	(void)buf_span(b, subject);		/* as issuer */
	(void)buf_span(b, VALIDITY);
	(void)buf_span(b, subject);
	(void)buf_span(b, spki);
	put_head(b, DER_EXTENSIONS, CONSTRAINTS.n);
	(void)buf_span(b, CONSTRAINTS);
}

int
dane_anchor(struct span subject, struct span spki, struct buf *der)
{
	struct buf tbs, cert;
	int rc;

	buf_init(&tbs, DANE_ANCHOR_MAX);
	buf_init(&cert, DANE_ANCHOR_MAX);
	put_tbs(&tbs, subject, spki);
	put_head(&cert, DER_SEQUENCE, tbs.len);
	(void)buf_span(&cert, buf_get(&tbs));
	(void)buf_span(&cert, ALGORITHM);
	(void)buf_span(&cert, SIGNATURE);
	buf_reset(der);
	put_head(der, DER_SEQUENCE, cert.len);
	(void)buf_span(der, buf_get(&cert));
	rc = tbs.failed || cert.failed || der->failed ? -1 : 0;
	buf_free(&tbs);
	buf_free(&cert);
	return rc;
}
