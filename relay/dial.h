/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/dial.h - a connection to the first of a host's addresses that answers.
 *
 * After RFC 8305 sec 5, for mail: an address that is silent for DIAL_DELAY_MS
 * gets the next one beside it, one that refuses gives way at once, and the
 * first connection that is made ends the others.  Addresses of one host only:
 * a worse MX is never preferred for being quicker (RFC 5321 sec 5.1).  Nothing
 * is sent on a connection that loses. */
#ifndef RELAY_DIAL_H
#define RELAY_DIAL_H

#include "tls/channel.h"

#define DIAL_DELAY_MS	250	/* RFC 8305 sec 8 */
#define DIAL_MAX	4	/* at once */

struct dial_target {
	const struct addr	*to, *source;	/* source: NULL or family 0 none */
	unsigned		 id;		/* the owner's */
};

struct dial_ops {
	/* Another address to try; false: there is none. */
	bool	(*next)(void *arg, struct dial_target *);
	void	(*missed)(void *arg, unsigned id, const struct fault *);
	/* Connected; the channel is the owner's, by channel_adopt().  All is
	 * over then. */
	void	(*reached)(void *arg, unsigned id, struct channel *);
	void	(*over)(void *arg);		/* no address is left */
};

struct dial_attempt {
	struct dial		*dial;
	struct channel		*channel;	/* NULL: unused */
	unsigned		 id;
};

struct dial {
	struct loop		*loop;
	const struct dial_ops	*ops;
	void			*arg;
	struct loop_timer	*timer;		/* NULL: nothing is being dialled */
	struct dial_attempt	 attempts[DIAL_MAX];
};

/* Begins with addresses from ops->next(); missed() and even over() may be
 * called before it returns.  -1: no memory. */
int	dial_start(struct dial *, struct loop *, const struct dial_ops *,
	    void *arg);
void	dial_stop(struct dial *);		/* no callback follows */

#endif
