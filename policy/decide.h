/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/decide.h - which level is asked of a host, and why.  Pure.
 *
 * Evidence goes in, one verdict per MX host comes out.  The opportunistic rule
 * is the only one there is: nothing is demanded (RFC 7435 sec 3), relay still
 * attempts STARTTLS with every host. */
#ifndef POLICY_DECIDE_H
#define POLICY_DECIDE_H

#include "base/hop.h"

struct decision {
	enum level	asked;
	enum why	why;
};

struct decision	decide_opportunistic(void);

#endif
