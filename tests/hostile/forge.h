/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/hostile/forge.h - messages that a role must not send, to all of its
 * peers, the last one to the parent.  0 when sent. */
#ifndef TESTS_HOSTILE_FORGE_H
#define TESTS_HOSTILE_FORGE_H

#include "base/role.h"

extern struct role_env	*forge_env;

int	forge_direction(void);		/* what only the parent may send */
int	forge_type(void);		/* a number that means nothing */
int	forge_garbage(void);		/* a right type, and chance behind it */
int	forge_acknowledgement(void);	/* of frames that were never sent */
int	forge_descriptor(void);		/* where none may come */
int	forge_to_parent(void);		/* new certificates, as if from keys */

#endif
