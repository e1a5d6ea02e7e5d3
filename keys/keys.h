/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* keys/keys.h - the role that holds the private keys.  It makes them, keeps
 * them in state/keys/, and signs for its smtpd; it never decrypts and never
 * talks to the network. */
#ifndef KEYS_KEYS_H
#define KEYS_KEYS_H

#include "base/role.h"

extern const struct role_ops keys_ops;

#endif
