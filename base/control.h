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

#include "base/conf.h"
#include "base/fault.h"
#include "base/loop.h"

struct control;			/* a listening socket of a role */
struct control_client;		/* one connection */

/* `request` is called once per request (borrowed, until it returns).  Answer
 * now or later with the calls below; one request at a time per client. */
struct control_ops {
	void	(*request)(void *ctx, struct control_client *, const json_t *request);
	/* More answers may be queued now (listings go 100 entries a time):
	 * called after the ones so far were written, while *cursor != NULL. */
	void	(*more)(void *ctx, struct control_client *);
	/* The client is gone; free its cursor. */
	void	(*gone)(void *ctx, struct control_client *);
};

struct control	*control_new(struct loop *, int listen_fd,
		    const struct control_ops *, void *ctx);	/* takes fd */
void	control_close(struct control **);

void	control_answer(struct control_client *, json_t *line);	/* takes the reference */
void	control_done(struct control_client *);
void	control_error(struct control_client *, int exit_code, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
void	**control_cursor(struct control_client *);	/* the owner's, NULL at first */

/* The CLI's side, blocking.  Sends the request (takes its reference), calls
 * `line` per answer.  Returns 0, or the exit code to end with, with a sentence
 * in *f: 69 when nobody listens on control_directory/name. */
int	control_call(const struct conf *, const char *name, json_t *request,
	    void (*line)(void *arg, const json_t *), void *arg, struct fault *f);

#endif
