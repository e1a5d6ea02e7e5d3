/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/desk.h - policy's control socket: what people may ask of it.
 *
 *	{"cmd":"events","since":MS,"follow":BOOL}	a line per finding; with
 *			follow it goes on, and {"alive":true} comes in between
 *	{"cmd":"peer","name":NAME}	one line; exit 1 when nothing is known
 *	{"cmd":"forget","name":NAME}	likewise
 *	{"cmd":"except","name":NAME,"until":S,"why":TEXT}	no line
 *	{"cmd":"except-end","name":NAME}	no line; exit 1 when there is none
 *	{"cmd":"exceptions"}	one line with all that hold
 *	{"cmd":"dns"}	one line, as of policy/prober.h
 *	{"cmd":"explain","domain":NAME}	one line, as of policy/trace.h
 */
#ifndef POLICY_DESK_H
#define POLICY_DESK_H

#include "base/loop.h"
#include "policy/route.h"

struct desk;

/* What it borrows outlives it; NULL: no memory. */
struct desk	*desk_new(struct loop *, struct watch *, struct route_world *);
void		 desk_free(struct desk **);
void		 desk_listen(struct desk *, int fd);		/* takes it */
/* To all who follow. */
void		 desk_found(struct desk *, const struct finding_row *);

#endif
