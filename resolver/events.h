/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* resolver/events.h - libunbound's pluggable event base over base/loop.h, so
 * that resolving needs neither a thread nor another event library. */
#ifndef RESOLVER_EVENTS_H
#define RESOLVER_EVENTS_H

#include "base/loop.h"

struct ub_event_base;

/* To be freed after the context that uses it. NULL: no memory. */
struct ub_event_base	*events_new(struct loop *);
void			 events_free(struct ub_event_base **);

#endif
