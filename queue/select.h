/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/select.h - which recipients an operator's command is about.  Pure.
 *
 * A request names any of these; different ones combine with "and", the values
 * of one with "or":
 *
 *	"recipients": [...]	their addresses, exactly
 *	"domains": [...]	of the recipient: "example.org" exactly,
 *				"*.example.org" all below it
 *	"senders": [...]	"a@example.org", "@example.org", "" the null one
 *	"sites": [...]		names of sites, as `list` shows them
 *	"states": [...]		active, deferred, held
 *	"older": ms		arrived at least so long ago
 *	"reason": "text"	stands in the last answer
 *
 * Letter case counts in "recipients" only.  Recipients that are done are never picked. */
#ifndef QUEUE_SELECT_H
#define QUEUE_SELECT_H

#include <jansson.h>

#include "queue/index.h"

struct select {		/* borrows from the request */
	const json_t	*rcpts, *domains, *senders, *sites, *states;
	struct span	 reason;
	uint64_t	 older;		/* ms */
	bool		 any;		/* something is asked for */
};

/* 0, or -1 when a member is not of its type. */
int	select_parse(struct select *, const json_t *request);
/* Sender and age; the recipients are judged one by one. */
bool	select_message(const struct select *, const struct message *,
	    uint64_t now_wall);
bool	select_rcpt(const struct select *, const struct rcpt *);

#endif
