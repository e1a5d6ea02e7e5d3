/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* fetch/fetch.h - the role that alone speaks HTTPS.  It sees neither mail nor
 * DNS: policy gives it a host, addresses and a path, and gets bytes back.  So
 * a fault in an HTTP library cannot forge what the DNS said, and what it
 * brings is judged elsewhere. */
#ifndef FETCH_FETCH_H
#define FETCH_FETCH_H

#include "base/role.h"

extern const struct role_ops	fetch_ops;

#endif
