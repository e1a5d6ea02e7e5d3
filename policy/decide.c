/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/decide.c - see policy/decide.h. */
#include "policy/decide.h"

struct decision
decide(const struct evidence *e)
{
	/* RFC 8461 sec 5: testing never blocks anything. */
	if (e->sts == STS_ENFORCE)
		return (struct decision){ .asked = LEVEL_STS, .why = WHY_STS,
		    .barred = !e->sts_allows };
	return (struct decision){ .asked = LEVEL_CLEAR, .why = WHY_NONE };
}
