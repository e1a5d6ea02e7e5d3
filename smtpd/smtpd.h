/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/smtpd.h - the role that takes mail in. */
#ifndef SMTPD_SMTPD_H
#define SMTPD_SMTPD_H

#include "base/role.h"

extern const struct role_ops smtpd_ops;

#endif
