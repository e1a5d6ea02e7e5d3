/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/transfer.h - content transfer encodings, as a stream of lines: base64
 * and quoted-printable, RFC 2045 sec 6.7 and 6.8.
 *
 * Pure.  Lines come as any number of pieces and an end; what comes out is 7-bit
 * and has no line over 76 bytes. */
#ifndef SMTP_TRANSFER_H
#define SMTP_TRANSFER_H

#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

/* A byte makes three, and a soft line end after 75 of those; held back bytes
 * come on top. */
#define TRANSFER_GROWTH	4
#define TRANSFER_EXTRA	16

enum transfer_kind { TRANSFER_QP, TRANSFER_BASE64 };

struct transfer {
	enum transfer_kind kind;
	unsigned	 column;
	char		 space;		/* QP: held back, it may end the line; or 0 */
	bool		 newline;	/* base64: held back, it may be the part's end */
	uint8_t		 rest[3];
	unsigned	 nrest;
};

void	transfer_begin(struct transfer *, enum transfer_kind);
void	transfer_put(struct transfer *, struct span, struct buf *out);
void	transfer_newline(struct transfer *, struct buf *out);
/* `delimited`: the last line end belongs to the boundary that follows, not to
 * the content (RFC 2046 sec 5.1.1). */
void	transfer_end(struct transfer *, bool delimited, struct buf *out);

#endif
