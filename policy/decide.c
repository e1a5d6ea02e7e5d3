/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/decide.c - see policy/decide.h. */
#include "policy/decide.h"

struct decision
decide_opportunistic(void)
{
	return (struct decision){ .asked = LEVEL_CLEAR, .why = WHY_NONE };
}
