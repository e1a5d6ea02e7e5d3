/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/report_impl.h - between the files of `sealane report`. */
#ifndef CLI_REPORT_IMPL_H
#define CLI_REPORT_IMPL_H

#include "report/report.h"

/* From logs of other MTAs; what they do not tell is said on stderr.  CLI_OK,
 * and then *r is to be freed, or another exit code. */
int	cli_report_logs(char *const *paths, size_t n,
	    const struct report_query *, struct report *r);

#endif
