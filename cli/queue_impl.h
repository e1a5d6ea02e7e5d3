/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/queue_impl.h - what the files of `sealane queue` share. */
#ifndef CLI_QUEUE_IMPL_H
#define CLI_QUEUE_IMPL_H

#include "base/control.h"
#include "cli/cli.h"

struct queue_args {
	json_t		*request;	/* "cmd", "ids" and the selection */
	size_t		 nids;
	bool		 selects;	/* any of --domain ... --reason */
	bool		 json, body, forget, drop;
};

/* Return the exit code. */
int	queue_list(const struct conf *, struct queue_args *);
int	queue_show(const struct conf *, struct queue_args *);
int	queue_damaged(const struct conf *, struct queue_args *);
int	queue_export(const struct conf *, struct queue_args *);
int	queue_import(const struct conf *, struct queue_args *);
/* The answer's bytes go to standard output; takes the request's reference. */
int	queue_bytes(const struct conf *, json_t *request);

/* Asks the queue role; takes the request's reference; complains when it fails. */
int	queue_ask(const struct conf *, json_t *request,
	    void (*line)(void *arg, const json_t *answer), void *arg);

#endif
