/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/check.h - the parts of `sealane check` to each other. */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include "cli/cli.h"

/* Prints what would hold for each role; adds to the notes what is missing. */
void	check_isolation(const struct conf *, struct conf_notes *);

/* What the running relay knows of its resolvers. */
void	check_dns(const struct conf *, struct conf_notes *);

/* The files of tls.certificate. */
void	check_certs(const struct conf *, struct conf_notes *);

#endif
