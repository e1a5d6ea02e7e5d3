/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/resolver/knot.h - a real authoritative server (Knot DNS) as a
 * child of the test, on a free port of 127.0.0.1, with two zones:
 * plain.example.org unsigned, signed.example.org signed by it at start.
 * Everything it makes lies in one temporary directory. */
#ifndef TESTS_UNIT_RESOLVER_KNOT_H
#define TESTS_UNIT_RESOLVER_KNOT_H

#include <stdint.h>
#include <sys/types.h>

struct knot {
	char		dir[64];
	char		anchor[96];	/* file: the signed zone's DS */
	char		wrong[96];	/* the same with another digest */
	uint16_t	port;
	pid_t		pid;
};

/* 0; -1 when knotd is not installed; anything else wrong aborts. */
int	knot_start(struct knot *);
void	knot_kill(struct knot *);
void	knot_again(struct knot *);	/* after knot_kill: same port and keys */
void	knot_remove(struct knot *);

/* A bound UDP socket on a free port of 127.0.0.1, which nobody reads. */
int	udp_socket(uint16_t *port);

#endif
