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

namespace backdrop {

namespace {

constexpr const Op* kOps[] = {
    // leaves
    &input_op,
    &variable_op,
    &constant_op,
    // create
    &full_op,
    &arange_op,
    // arithmetic
    &add_op,
    &mul_op,
    &multiply_add_op,
    &scale_op,
    &square_op,
    &sub_op,
    &div_op,
    &neg_op,
    &pow_op,
    &power_op,
    &maximum_op,
    &minimum_op,
    &abs_op,
    &sign_op,
    &sqrt_op,
    &rsqrt_op,
    &reciprocal_op,
    // elementwise
    &exp_op,
    &expm1_op,
    &log_op,
    &log2_op,
    &log10_op,
    &log1p_op,
    &logaddexp_op,
    &sin_op,
    &cos_op,
    &tan_op,
    &asin_op,
    &acos_op,
    &atan_op,
    &atan2_op,
    &hypot_op,
    &sinh_op,
    &cosh_op,
    &asinh_op,
    &acosh_op,
    &atanh_op,
    &lgamma_op,
    &digamma_op,
    &polygamma_op,
    &floor_op,
    &ceil_op,
    &round_op,
    &erf_op,
    &erfc_op,
    &tanh_op,
    &sigmoid_op,
    &softplus_op,
    &log_sigmoid_op,
    &relu_op,
    &leaky_relu_op,
    &elu_op,
    &silu_op,
    &gelu_op,
    &gelu_tanh_op,
    &clip_op,
    &celu_op,
    &selu_op,
    &mish_op,
    &softsign_op,
    &tanhshrink_op,
    &hardtanh_op,
    &relu6_op,
    &hardsigmoid_op,
    &hardswish_op,
    &softshrink_op,
    &hardshrink_op,
    // compare
    &greater_op,
    &greater_equal_op,
    &less_op,
    &less_equal_op,
    &equal_op,
    &not_equal_op,
    &logical_and_op,
    &logical_or_op,
    &logical_xor_op,
    &logical_not_op,
    &where_op,
    &masked_fill_op,
    &cast_op,
    &stop_gradient_op,
    &again_op,
    &checkpoint_op,
    // dropout
    &dropout_op,
    &dropout_mask_op,
    &drawn_dropout_op,
    &drop_path_op,
    &alpha_dropout_op,
    &gaussian_dropout_op,
    &drop_block_op,
    &zoneout_op,
    // reduce
    &sum_op,
    &mean_op,
    &max_op,
    &min_op,
    &argmax_op,
    &argmin_op,
    &var_op,
    &std_op,
    &prod_op,
    &any_op,
    &all_op,
    &norm_op,
    &logsumexp_op,
    // scan
    &cumsum_op,
    &recurrence_op,
    &cumprod_op,
    &logcumsumexp_op,
    // sort
    &argsort_op,
    // loss
    &softmax_op,
    &log_softmax_op,
    &cross_entropy_op,
    &label_loss_op,
    &label_excess_op,
    &nll_op,
    &mse_op,
    &l1_op,
    &huber_op,
    &bce_op,
    &bce_with_logits_op,
    &kl_div_op,
    // normalization
    &standardize_op,
    &layer_norm_op,
    &layer_norm_product_op,
    &rms_norm_op,
    &batch_norm_op,
    &batch_norm_given_op,
    &group_norm_op,
    &normalize_op,
    &cosine_similarity_op,
    // attention, recurrent
    &scaled_dot_product_attention_op,
    &rnn_cell_op,
    &gru_cell_op,
    &lstm_cell_op,
    // matmul
    &matmul_op,
    &add_product_op,
    // convolution
    &windows_op,
    &unwindows_op,
    &convolution_op,
    &transposed_convolution_op,
    &window_product_op,
    &max_pool_op,
    &avg_pool_op,
    &adaptive_avg_pool_op,
    &upsample_nearest_op,
    &upsample_bilinear_op,
    // layout
    &broadcast_to_op,
    &sum_to_op,
    &reshape_op,
    &transpose_op,
    &slice_op,
    &unslice_op,
    &concat_op,
    &tril_op,
    &triu_op,
    // index
    &index_select_op,
    &index_add_op,
    &gather_op,
    &scatter_add_op,
    &one_hot_op,
    // random
    &uniform_op,
    &normal_op,
};

}  // namespace

std::span<const Op* const> all_ops() { return kOps; }

const Op* find_op(std::string_view name) {
  for (const Op* op : kOps) {
    if (op->name == name) return op;
  }
  return nullptr;
}

}  // namespace backdrop
