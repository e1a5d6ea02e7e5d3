/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/proctitle.h - what ps(1) shows for this process. */
#ifndef BASE_PROCTITLE_H
#define BASE_PROCTITLE_H

/* Remember where the arguments lie, before anything reorders argv. */
void	proctitle_init(int argc, char **argv);
/* Overwrites the argument area in place; cut when the area is shorter.  Every
 * argument that is still needed must have been copied before. */
void	proctitle_set(const char *title);

#endif
