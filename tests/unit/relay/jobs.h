/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/relay/jobs.h - what a queue sends to a relay. */
#ifndef TESTS_UNIT_RELAY_JOBS_H
#define TESTS_UNIT_RELAY_JOBS_H

#include "base/ipc/ipc.h"

/* To mx.example.org, which is 127.0.0.1; `asked` an enum level. */
void	jobs_route(struct link *, uint64_t job, uint16_t port, unsigned asked);
/* From <from@example.net> to <to@example.org>, so many times, and a moment old:
 * the test says the rest.  Takes fd, -1 none. */
void	jobs_send(struct link *, const struct ipc_job *, unsigned nrcpts, int fd);

#endif
