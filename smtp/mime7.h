/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/mime7.h - a message with 8-bit content, made fit for a host without
 * 8BITMIME (RFC 6152 sec 3).
 *
 * Pure and streaming: the message goes through it twice, the first time to learn
 * what each body part is and holds, the second time to be converted.  Parts
 * with 8-bit bytes become quoted-printable or base64, each with its decoded
 * content unchanged; what encloses them says 7bit.  All else stays as it is,
 * but for line ends: a bare CR or LF is a CRLF.
 *
 *	mime7_begin(m); mime7_scan(m, piece)...; if (mime7_verdict(m) == CONVERT)
 *	{ mime7_rewind(m); mime7_put(m, piece, out)...; mime7_end(m, out); }
 *
 * Not convertible, because nothing says how, or because it would break:
 *  - 8-bit header fields, at the top or of a part (those need SMTPUTF8);
 *  - anything inside multipart/signed (RFC 1847 sec 2.1);
 *  - parts that claim an encoding and yet hold 8-bit bytes;
 *  - message/partial and other message types but rfc822 and global, for which
 *    RFC 2045 sec 6.4 forbids an encoding;
 *  - more parts, deeper nesting or longer fields than the bounds below.
 * A DKIM signature does not survive; RFC 6376 sec 5.3 tells signers so. */
#ifndef SMTP_MIME7_H
#define SMTP_MIME7_H

#include "smtp/mime_field.h"
#include "smtp/transfer.h"

#define MIME7_DEPTH	20	/* multiparts inside each other */
#define MIME7_PARTS	2000
#define MIME7_LINE	512	/* what is looked at of a line at once */
#define MIME7_FIELD	2048	/* of a Content-Type field */

/* Bytes that a piece of n can make: the fields that are added, where a message
 * consists of nothing but parts of one byte, count most. */
#define MIME7_OUT_MAX(n)	(16 * (n) + 2048)

enum mime7_verdict {
	MIME7_PLAIN,		/* there is no 8-bit byte */
	MIME7_CONVERT,
	/* not convertible: */
	MIME7_HEADER,		/* 8-bit header fields */
	MIME7_SIGNED,
	MIME7_ENCODED,		/* an encoding is claimed, and not kept */
	MIME7_MESSAGE,		/* message/partial and the like */
	MIME7_STRUCTURE,	/* no boundary, or more than the bounds */
};
/* For reports: "8-bit content in a signed part". "" for the first two. */
const char	*mime7_reason(enum mime7_verdict);

enum mime7_mode { MIME7_IN_HEADER, MIME7_IN_LEAF, MIME7_IN_JUNK };
enum mime7_act { MIME7_KEEP, MIME7_LABEL, MIME7_QP, MIME7_BASE64 };
enum mime7_field { MIME7_NO_FIELD, MIME7_TYPE, MIME7_ENCODING, MIME7_OTHER };

struct mime7_level {		/* an enclosing multipart */
	bool	in_signed, is_digest;
	size_t	n;
	char	boundary[MIME_BOUNDARY_MAX];
};

struct mime7 {
	bool		 converting;

	/* the line at hand */
	char		 line[MIME7_LINE];
	size_t		 nline;
	bool		 inside;	/* of a line: part of it is done with */
	bool		 cr;		/* ended by a CR; an LF may belong to it */

	/* where we are */
	enum mime7_mode	 mode;
	unsigned	 depth;
	struct mime7_level levels[MIME7_DEPTH];
	size_t		 nentities;	/* begun: messages and parts */

	/* the entity at hand */
	bool		 is_message;	/* not a part */
	bool		 has_version, has_type, has_encoding, type_too_long;
	enum mime7_field field;
	size_t		 ntype, nencoding;
	char		 type_text[MIME7_FIELD], encoding_text[64];
	struct mime_type type;
	enum mime_encoding encoding;
	uint64_t	 nbytes, neight;	/* of a leaf's body */
	struct transfer	 transfer;

	/* what was learnt */
	bool		 eight_header, eight_body;
	enum mime7_verdict trouble;	/* the first one */
	uint8_t		 acts[MIME7_PARTS];	/* enum mime7_act */
};

void	mime7_begin(struct mime7 *);
void	mime7_scan(struct mime7 *, struct span);
enum mime7_verdict	mime7_verdict(struct mime7 *);	/* all was scanned */

void	mime7_rewind(struct mime7 *);
/* Pieces may be cut anywhere, here and in the scan. `out` failed: no memory. */
void	mime7_put(struct mime7 *, struct span, struct buf *out);
void	mime7_end(struct mime7 *, struct buf *out);

#endif
