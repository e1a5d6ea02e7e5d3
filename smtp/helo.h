/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/helo.h - the name a client gives itself in EHLO or HELO.
 *
 * Pure.  More is taken than RFC 5321 sec 4.1.1.1 allows, since refusing mail
 * for a careless name helps nobody (sec 4.1.4): host names with underscores,
 * a final dot or a single label, addresses without brackets or with the wrong
 * tag in them.  But only letters that can do no harm in a Received: header or
 * a log; a name beyond ASCII has to come as A-labels (RFC 6531 sec 3.7.1). */
#ifndef SMTP_HELO_H
#define SMTP_HELO_H

#include "base/span.h"

#define SMTP_HELO_MAX	255

/* Trims `arg` to the name.  False: there is none, or it is not one. */
bool	smtp_helo(struct span arg, struct span *name);

#endif
