/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/fetched.c - see fetched.h. */
#include "base/fetched.h"

#include <assert.h>

static const char *const names[FETCHED_COUNT] = {
	"ok", "unreachable", "certificate", "address", "status", "type",
	"too-large", "busy",
};

const char *
fetched_name(enum fetched f)
{
	assert((unsigned)f < FETCHED_COUNT);
	return names[f];
}
