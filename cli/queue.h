/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/queue.h - `sealane queue`: what is in the queue, and what the operator
 * does about it. */
#ifndef CLI_QUEUE_H
#define CLI_QUEUE_H

#include "base/conf.h"

/* argv[0] is "queue".  Returns the exit code. */
int	cli_queue(const struct conf *, int argc, char **argv);

#endif
