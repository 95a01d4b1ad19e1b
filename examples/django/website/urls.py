"""The pages."""

from django.urls import path

from orders import views

urlpatterns = [path("customers", views.customers)]
