/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/queue.h - the role that owns the mail: spool, schedule, dispatch. */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include "base/role.h"

extern const struct role_ops queue_ops;

#endif
