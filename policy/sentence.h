/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/sentence.h - a decision as words for people.  Pure. */
#ifndef POLICY_SENTENCE_H
#define POLICY_SENTENCE_H

#include "policy/decide.h"

#define SENTENCE_SIZE	200

/* Without capital and full stop; what a host must do to get mail, and why. */
const char	*sentence(const struct evidence *, const struct decision *,
		    char out[SENTENCE_SIZE]);

#endif
