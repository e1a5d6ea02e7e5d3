/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/conf_table.h - a list of recipients, the "file:" of accept.domain.
 *
 * In the file one entry a line; # begins a comment at the start of a line or
 * behind a blank:
 *	local			this local part, in whichever domain names the file
 *	local@domain		this mailbox
 *	@domain			everybody there
 *	local+*[@domain]	local part, plus sign, anything
 * Case of ASCII letters means nothing.  In the bundle the entries are sorted,
 * lower case, each ended by \n and there once, so that a role looks them up in
 * the bytes as they came, without memory of its own. */
#ifndef BASE_CONF_TABLE_H
#define BASE_CONF_TABLE_H

#include "base/buf.h"
#include "base/conf.h"

#define CONF_TABLE_ENTRY_MAX	320	/* bytes of a line's entry */

/* Appends the sorted entries of the file to `out`.  -1 with an error in the
 * notes: at its line, or at `from` when it can't be read. */
int	conf_table_read(const char *path, struct conf_place from,
	    struct conf_notes *, struct buf *out);

/* O(log n).  `local` as smtp/address.h spells it, `domain` in lower case. */
bool	conf_table_has(struct span table, struct span local, struct span domain);

#endif
