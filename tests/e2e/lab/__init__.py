# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""The laboratory of the end-to-end tests: a network of its own with a DNS
server, receiving MTAs, scripted peers, and Sealane in the middle."""
