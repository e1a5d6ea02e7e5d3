/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/cert_impl.h - the parts of `sealane cert`. */
#ifndef CLI_CERT_IMPL_H
#define CLI_CERT_IMPL_H

#include "base/conf.h"

/* Return an exit code; what is wrong was said. */
int	cert_renew(const struct conf *);
int	cert_import(const struct conf *, const char *chain, const char *key);

#endif
