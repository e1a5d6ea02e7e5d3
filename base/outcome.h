/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/outcome.h - what became of one recipient at one attempt. */
#ifndef BASE_OUTCOME_H
#define BASE_OUTCOME_H

enum outcome_status {
	OUTCOME_SENT,
	OUTCOME_DEFERRED,
	OUTCOME_FAILED,
	OUTCOME_COUNT
};
const char	*outcome_name(enum outcome_status);	/* sent deferred failed */

#endif
