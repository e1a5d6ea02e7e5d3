/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/proctitle.h - what ps(1) shows for this process. */
#ifndef BASE_PROCTITLE_H
#define BASE_PROCTITLE_H

/* Overwrites the argument area in place; cut when the area is shorter.  Every
 * argument that is still needed must have been copied before. */
void	proctitle_set(int argc, char **argv, const char *title);

#endif
