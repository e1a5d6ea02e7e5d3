/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/mime_field.h - the two header fields that say what a body part is:
 * Content-Type and Content-Transfer-Encoding, RFC 2045 sec 5 and 6. Pure. */
#ifndef SMTP_MIME_FIELD_H
#define SMTP_MIME_FIELD_H

#include "base/span.h"

/* RFC 2046 sec 5.1.1 allows 70; others are more generous. */
#define MIME_BOUNDARY_MAX	200

enum mime_class {
	MIME_TEXT,		/* text, and whatever says nothing of itself */
	MIME_OTHER,
	MIME_MULTIPART,
	MIME_MESSAGE,		/* message/rfc822: another message inside */
	MIME_MESSAGE_OTHER,	/* of which RFC 2045 sec 6.4 forbids to encode */
};

struct mime_type {
	enum mime_class	 class;
	bool		 is_signed;	/* multipart/signed, RFC 1847 */
	bool		 is_digest;	/* multipart/digest: parts are messages */
	size_t		 boundary_len;	/* 0: none, or too long */
	char		 boundary[MIME_BOUNDARY_MAX];
};

/* `value`: unfolded or not.  What can't be read is text/plain, as RFC 2045 sec
 * 5.2 says. */
void	mime_type_parse(struct span value, struct mime_type *);

enum mime_encoding {
	MIME_7BIT,		/* also: no such field */
	MIME_8BIT,		/* and binary */
	MIME_ENCODED,		/* quoted-printable, base64 and what is unknown */
};
enum mime_encoding	mime_encoding_parse(struct span value);

#endif
