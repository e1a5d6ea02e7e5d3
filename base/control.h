/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/control.h - control sockets: how the CLI asks the owner of state.
 *
 * A unix stream socket, JSON documents one a line: a request object with
 * "cmd", then any number of answer lines, the last one {"done": true} or
 * {"error": "text", "exit": N}.  Nonsense from a client closes that client. */
#ifndef BASE_CONTROL_H
#define BASE_CONTROL_H

#include <jansson.h>

#include <stdbool.h>

#include "base/conf.h"
#include "base/fault.h"
#include "base/loop.h"

#define CONTROL_REQUEST_MAX	(64 * 1024)	/* bytes of a request line */
#define CONTROL_CLIENTS_MAX	32		/* of one socket at a time */
#define CONTROL_QUEUE_MAX	(16 * 1024 * 1024) /* bytes not yet read by a client */
#define CONTROL_PAUSE		(64 * 1024)	/* a listing waits from here on */

struct control;			/* a listening socket of a role */
struct control_client;		/* one connection */

/* `request` is called once per request (borrowed, until it returns).  Answer
 * now or later with the calls below; one request at a time per client. */
struct control_ops {
	void	(*request)(void *ctx, struct control_client *, const json_t *request);
	/* More answers may be queued now (listings go 100 entries a time):
	 * called after the ones so far were written, while *cursor != NULL,
	 * once per turn of the loop: it must answer, advance or end. */
	void	(*more)(void *ctx, struct control_client *);
	/* The client is gone; free its cursor.  Called once for each client,
	 * whatever state it is in; until then answering is always safe. */
	void	(*gone)(void *ctx, struct control_client *);
};

struct control	*control_new(struct loop *, int listen_fd,
		    const struct control_ops *, void *ctx);	/* takes fd */
void	control_close(struct control **);

void	control_answer(struct control_client *, json_t *line);	/* takes the reference */
/* Enough is queued: a listing stops here and goes on in `more`.  A client for
 * which more than CONTROL_QUEUE_MAX is queued is closed. */
bool	control_full(const struct control_client *);
void	control_done(struct control_client *);
void	control_error(struct control_client *, int exit_code, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
void	**control_cursor(struct control_client *);	/* the owner's, NULL at first */

/* The CLI's side, blocking; waits at most a minute for each answer.  Sends
 * the request (takes its reference), calls `line` per answer.  Returns 0, or
 * the exit code to end with, with a sentence in *f: 69 when nobody listens on
 * control_directory/name. */
int	control_call(const struct conf *, const char *name, json_t *request,
	    void (*line)(void *arg, const json_t *answer), void *arg,
	    struct fault *);

/* The same for several requests over one connection, one after the other: what
 * the owner keeps for a client lasts until the end.  NULL: nobody listens, or
 * the fault says what else.  After a -1 that is no answer of the owner (69)
 * only control_end() may follow. */
struct control_session	*control_begin(const struct conf *, const char *name,
			    struct fault *);
int	control_ask(struct control_session *, json_t *request,
	    void (*line)(void *arg, const json_t *answer), void *arg,
	    struct fault *);
void	control_end(struct control_session **);

#endif
