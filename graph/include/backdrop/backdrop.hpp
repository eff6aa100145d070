#pragma once

/// All of backdrop.
#include <fmt/core.h>

#include <backdrop/core/error.hpp>
#include <backdrop/core/op.hpp>
#include <backdrop/core/random.hpp>
#include <backdrop/core/tape.hpp>
#include <backdrop/format.hpp>
#include <backdrop/graph/anomaly.hpp>
#include <backdrop/graph/check_op.hpp>
#include <backdrop/graph/dot.hpp>
#include <backdrop/graph/gradcheck.hpp>
#include <backdrop/graph/gradient.hpp>
#include <backdrop/graph/jacobian.hpp>
#include <backdrop/graph/json.hpp>
#include <backdrop/graph/monte_carlo.hpp>
#include <backdrop/graph/optimizer.hpp>
#include <backdrop/graph/program.hpp>
#include <backdrop/graph/prove_equal.hpp>
#include <backdrop/graph/rewrite.hpp>
#include <backdrop/graph/safetensors.hpp>
#include <backdrop/graph/vmap.hpp>
#include <backdrop/ops/ops.hpp>
