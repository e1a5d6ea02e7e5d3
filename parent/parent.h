/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* parent/parent.h - the process that starts, wires, watches and restarts all
 * others.  It reads the root-owned configuration and nothing that comes from
 * the network. */
#ifndef PARENT_PARENT_H
#define PARENT_PARENT_H

/* `sealane serve`: runs until SIGTERM or SIGINT.  Returns the exit code: 0
 * after an orderly end, 1 when it cannot start, 64 for a bad configuration. */
int	parent_serve(const char *conf_path);

/* A start aside, for a command that asks a relay which does not run: resolver,
 * fetch and policy alone, in a directory of their own that goes with them.
 * conf_path may be NULL for an empty configuration.  Its name is sent over `fd`,
 * one end of a SOCK_SEQPACKET pair, when all are up; the end begins when the
 * other end closes.  What goes wrong is in the log, on standard error. */
int	parent_aside(const char *conf_path, int fd);

/* A process whose argv[0] is "sealane: ROLE N" was re-executed by the parent.
 * Runs that role; returns its exit code. */
int	roles_main(int argc, char **argv);

#endif
