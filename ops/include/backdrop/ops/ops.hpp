#pragma once

/// The whole vocabulary.
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/attention.hpp>
#include <backdrop/ops/checkpoint.hpp>
#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/convolution.hpp>
#include <backdrop/ops/create.hpp>
#include <backdrop/ops/dropout.hpp>
#include <backdrop/ops/dropout_variants.hpp>
#include <backdrop/ops/elementwise.hpp>
#include <backdrop/ops/index.hpp>
#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/loss.hpp>
#include <backdrop/ops/matmul.hpp>
#include <backdrop/ops/normalization.hpp>
#include <backdrop/ops/random.hpp>
#include <backdrop/ops/recurrent.hpp>
#include <backdrop/ops/reduce.hpp>
#include <backdrop/ops/registry.hpp>
#include <backdrop/ops/scan.hpp>
#include <backdrop/ops/sort.hpp>
