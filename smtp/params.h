/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/params.h - what follows the path in MAIL and RCPT.
 *
 * Pure.  esmtp-keyword[=esmtp-value] as in RFC 5321 sec 4.1.2; which keyword
 * means what are two tables in params.c, holding those that smtpd announces. */
#ifndef SMTP_PARAMS_H
#define SMTP_PARAMS_H

#include <stdint.h>

#include "base/envelope.h"
#include "base/span.h"

enum smtp_params_error {
	SMTP_PARAMS_OK,
	SMTP_PARAMS_SYNTAX,		/* no keyword, or the same one twice */
	SMTP_PARAMS_UNKNOWN,		/* 555, RFC 5321 sec 4.1.1.11 */
	SMTP_PARAMS_VALUE,		/* known keyword, impossible value */
};

struct smtp_mail_params {
	bool		has_size, has_body, has_ret;
	uint64_t	size;		/* RFC 1870; what is larger than any number: UINT64_MAX */
	uint16_t	flags;		/* enum envelope_flag */
	struct span	envid;		/* RFC 3461 sec 4.4, as given, "" if not */
};

struct smtp_rcpt_params {
	uint8_t		notify;		/* enum notify, 0 not given */
	struct span	orcpt;		/* as given, "" if not */
};

/* `rest` is all behind the ">", its leading spaces included. */
enum smtp_params_error	smtp_mail_params(struct span rest,
			    struct smtp_mail_params *);
/* The spans point into `rest`.  `flags` of the MAIL before. */
enum smtp_params_error	smtp_rcpt_params(struct span rest, uint16_t flags,
			    struct smtp_rcpt_params *);

#endif
