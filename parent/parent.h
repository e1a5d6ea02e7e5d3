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

/* A process whose argv[0] is "sealane: ROLE N" was re-executed by the parent.
 * Runs that role; returns its exit code. */
int	roles_main(int argc, char **argv);

#endif
