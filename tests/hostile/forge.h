/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/hostile/forge.h - messages that a role must not send, straight to the
 * sockets of its links, since base/ipc/link.c would not.  Each goes to every
 * peer; all but the last leave the parent out.  0 when sent. */
#ifndef TESTS_HOSTILE_FORGE_H
#define TESTS_HOSTILE_FORGE_H

int	forge_direction(void);		/* what only the receiver may send */
int	forge_type(void);		/* a number that means nothing */
int	forge_garbage(void);		/* a right type, and chance behind it */
int	forge_acknowledgement(void);	/* of frames that were never sent */
int	forge_descriptor(void);		/* where none may come */
int	forge_to_parent(void);		/* new certificates, as if from keys */

#endif
